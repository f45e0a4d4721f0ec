"""`modelwright open` and `export` of a pipeline whose models no page can ask and no file can hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modelwright.cli import main

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("deploy", "otherwise"),
    [
        ("{endpoint: none}", "`modelwright batch penguins` asks its model"),
        (
            "{endpoint: async, instance: ml.m5.large, smoke_test: data/smoke.csv}",
            "`modelwright predict penguins` waits",
        ),
        (
            "{endpoint: multi-model, instance: ml.m5.large, smoke_test: data/smoke.csv}",
            "`modelwright predict penguins --model NAME` asks one",
        ),
    ],
)
def test_a_kind_that_does_not_answer_at_once_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], deploy: str, otherwise: str
) -> None:
    project(tmp_path, monkeypatch, deploy)
    code = main.run(["open", "penguins"])
    out, err = capsys.readouterr()
    kind = deploy.split(": ")[1].strip("{}").split(",")[0]
    assert (code, out) == (2, "")
    assert f"error: penguins has deploy.endpoint {kind}; the page asks one model that answers at once." in err
    assert otherwise in err


def test_several_models_are_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, monkeypatch, "{endpoint: multi-model, instance: ml.m5.large, smoke_test: data/smoke.csv}")
    assert main.run(["export", "penguins", "--to", "onnx"]) == 2
    why = "multi-model: an export is of one model, and here there are several."
    assert f"error: penguins has deploy.endpoint {why}" in capsys.readouterr().err


def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deploy: str) -> None:
    """The penguins with another `deploy`, in a project of their own."""
    for name in ("cdk.json", "app.py", "environments"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    pipeline = tmp_path / "training_code" / "penguins"
    shutil.copytree(REPOSITORY / "training_code" / "penguins", pipeline, ignore=shutil.ignore_patterns("__pycache__"))
    lines = (pipeline / "pipeline.yaml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("deploy:")]
    (pipeline / "pipeline.yaml").write_text("\n".join([*kept, f"deploy: {deploy}\n"]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
