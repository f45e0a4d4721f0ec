from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.cli.scaffold import TEMPLATE, scaffold
from modelwright.config import load_project
from modelwright.errors import InvalidName, NameTaken


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("region: eu-central-1\n")
    (tmp_path / "training_code").mkdir()
    return tmp_path


def ran(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)


def run(folder: Path, *command: str) -> str:
    found = ran(folder, *command)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_new_folder_is_right_and_runs_at_once(root: Path, tmp_path: Path) -> None:
    written = scaffold(root, "my-model")
    folder = root / "training_code" / "my-model"
    assert written == sorted(path for path in folder.rglob("*") if path.is_file())
    assert load_project(root).pipeline("my-model").deploy.endpoint == "realtime"
    assert "`modelwright run my-model`" in (folder / "README.md").read_text()

    train, test, model, out = (str(tmp_path / name) for name in ("train", "test", "model", "evaluation"))
    run(folder, "process.py", "--input", "data/rents.csv", "--train", train, "--test", test)
    run(folder, "train.py", "--train", train, "--model-dir", model, "--alpha", "0.5")
    run(folder, "evaluate.py", "--model", model, "--test", test, "--output", out)
    metrics = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())["metrics"]
    gate = load_project(root).pipeline("my-model").gate
    assert {clause.metric for clause in gate} <= set(metrics)
    assert metrics["r2"] >= 0.8
    assert metrics["mean_absolute_error"] <= 90

    ask = "import sys, inference as i; m = i.model_fn(sys.argv[1]); b = open('data/smoke.csv', 'rb').read();"
    ask += "print(i.output_fn(i.predict_fn(i.input_fn(b, 'text/csv'), m), 'application/json')[0])"
    rents = json.loads(run(folder, "-B", "-c", ask, model))["predictions"]
    assert len(rents) == 5
    assert all(200 < rent < 4000 for rent in rents)
    wrong = ask.replace(
        "open('data/smoke.csv', 'rb').read()", "b'district,balcony,area_m2,rooms,year_built,floor\\nx,yes,many,1,1,1'"
    )
    assert "ValueError: area_m2 is 'many'; it must be a number" in ran(folder, "-B", "-c", wrong, model).stderr


@pytest.mark.parametrize("name", ["My Model", "../x", "", "data", "a" * 21])
def test_a_name_that_no_pipeline_can_have_is_refused(root: Path, name: str) -> None:
    with pytest.raises(InvalidName, match=r"a pipeline's name must have|would make the name of a data stack"):
        scaffold(root, name)
    assert list((root / "training_code").iterdir()) == []


def test_what_is_there_is_not_touched(root: Path) -> None:
    (root / "training_code" / "mine").mkdir()
    (root / "training_code" / "mine" / "train.py").write_text("mine")
    with pytest.raises(NameTaken, match="training_code/mine is there already; nothing was changed"):
        scaffold(root, "mine")
    assert [path.name for path in (root / "training_code" / "mine").iterdir()] == ["train.py"]


def test_a_folder_that_cannot_be_written_whole_is_not_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        scaffold(root, "mine")
    assert not (root / "training_code" / "mine").exists()


def test_the_template_holds_nothing_else() -> None:
    assert {path.suffix for path in TEMPLATE.rglob("*") if path.is_file()} <= {".py", ".md", ".csv", ".yaml", ".pyc"}
