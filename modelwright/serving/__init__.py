"""The model server: SageMaker's hosting contract around a script with `model_fn`.

`python -m modelwright.serving --model-dir DIR --port N` runs it by itself; docs/adr/0006-the-model-server.md says why
it answers as it does.
"""
