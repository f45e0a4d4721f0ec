"""Several models behind one endpoint, from training's folders to `predict --model`."""

import pytest

DEPLOY = "deploy: {endpoint: multi-model, instance: ml.m5.large, smoke_test: data/smoke.csv}\n"
EACH = """    for island, strength in (("biscoe", 1.0), ("dream", 0.001)):
        (options.model_dir / island).mkdir(parents=True, exist_ok=True)
        part = build_model(options.C * strength, options.max_iter).fit(features, target)
        joblib.dump({**learnt, "model": part}, options.model_dir / island / "model.joblib")
"""


@pytest.fixture(scope="module")
def several(whole):
    """The project whose training leaves two models, its local cloud kept up and a first run deployed."""
    path = whole.folder / "pipeline.yaml"
    lines = [DEPLOY if line.startswith("deploy:") else line for line in path.read_text().splitlines(keepends=True)]
    path.write_text("".join(lines))
    whole.edit("train.py", '    joblib.dump(learnt, options.model_dir / "model.joblib")\n', EACH)
    for before, after in (("source / ", 'source / "biscoe" / '), ("Path(folder) / ", 'Path(folder) / "biscoe" / ')):
        whole.edit("evaluate.py", f'joblib.load({before}"model', f'joblib.load({after}"model')
    whole.git("commit", "-qam", "several models")
    whole.cli("up")
    ended = whole.run()
    assert ended["status"] == "Deployed", ended
    return whole


def test_each_model_answers_by_its_name(several):
    found = {name: ask(several, name) for name in ("biscoe", "dream")}
    assert found["biscoe"] != found["dream"], "two models, two answers"


def test_which_ones_there_are_is_asked_for(several):
    smoke = str(several.folder / "data" / "smoke.csv")
    assert "Several models are behind this endpoint: --model NAME." in several.cli(
        "predict", "penguins", "--file", smoke, code=1
    )
    said = several.cli("predict", "penguins", "--file", smoke, "--model", "torgersen", code=1)
    assert "Failed to download model data" in said


def test_a_new_run_replaces_all_of_them(several):
    before = ask(several, "dream")
    assert several.run("-p", "C=0.5")["status"] == "Deployed"
    assert ask(several, "dream") != before


def ask(whole, model):
    return whole.cli("predict", "penguins", "--file", str(whole.folder / "data" / "smoke.csv"), "--model", model)
