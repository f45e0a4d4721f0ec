"""A script where somebody else has unpacked the model, as SageMaker does."""

from modelwright.serving.files import files_sha256

LOADED = """
import pathlib

BATCH = True

def model_fn(d):
    (pathlib.Path(d).parent / "loaded").touch()
    return pathlib.Path(d, "model.bin").read_text()

def input_fn(body, content_type):
    return [body]

def predict_fn(rows, model):
    return [f"{model} {row}" for row in rows]

def output_fn(prediction, accept):
    return prediction[0]
"""


def placed(folder):
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(LOADED)
    (folder / "model.bin").write_text("good")
    return {"MODELWRIGHT_MODEL_SHA256": "0" * 64, "MODELWRIGHT_FILES_SHA256": files_sha256(folder)}


def test_a_script_is_run_when_its_files_are_those_of_the_registry(start, tmp_path):
    hashes = placed(tmp_path / "model")
    server = start(None, folder=tmp_path / "model", **hashes, PYTHONDONTWRITEBYTECODE="1")
    assert server.invoke("a").body == b"good a"
    assert server.stop()[0] == 0
    again = start(None, folder=tmp_path / "model", **hashes)
    assert again.told["ready"] is True  # a container that starts again finds what it left


def test_nothing_of_another_model_is_run(start, tmp_path):
    hashes = placed(tmp_path / "model")
    (tmp_path / "model" / "model.bin").write_text("evil")
    server = start(None, folder=tmp_path / "model", **hashes)
    assert server.told["reason"].startswith("The model's 2 files (code/inference.py, model.bin) have the SHA-256")
    assert server.process.wait(20) == 1
    assert not (tmp_path / "loaded").exists()
