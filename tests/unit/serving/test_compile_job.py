"""The processing job that compiles a packaged model: what it leaves when it can, and when it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING

import joblib
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelwright.serving.archive import unpack
from modelwright.serving.compiled.compile_job import run
from modelwright.serving.compiled.model import load_compiled
from modelwright.serving.schema import Schema

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = (
    "import joblib, json, pandas\nCONTENT_TYPES = ['application/json']\n"
    "def model_fn(folder): return joblib.load(folder + '/model.joblib')\n"
    "def input_fn(body, kind): return pandas.DataFrame(json.loads(body))\n"
)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Sixty rows that a model can learn by heart."""
    numbers = [((7 * place) % 60) / 4 for place in range(60)]
    kinds = ["abc"[place % 3] for place in range(60)]
    labels = ["high" if number > 9 else "low" for number in numbers]
    return pd.DataFrame({"number": numbers, "kind": kinds, "label": labels})


@pytest.fixture
def job(rows, tmp_path):
    """The folders of a job whose model is this estimator, fitted; and the environment that it gets."""

    def make(estimator, columns=("number", "kind"), text=SCRIPT, target="label"):
        root = tmp_path / "processing"
        for part in ("train", "test"):
            (root / part).mkdir(parents=True)
            rows.to_csv(root / part / f"{part}.csv", index=False)
        (root / "model").mkdir()
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "inference.py").write_text(text)
        if estimator is not None:
            joblib.dump(estimator.fit(rows[list(columns)], rows[target]), tmp_path / "model.joblib")
        else:
            joblib.dump({"weights": [1]}, tmp_path / "model.joblib")
        archive = root / "model" / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(tmp_path / "model.joblib", "model.joblib")
            tar.add(tmp_path / "code", "code")
        return root, {"MODELWRIGHT_MODEL_SHA256": sha256(archive.read_bytes()).hexdigest()}

    return make


def fitting():
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough")
    return make_pipeline(encoder, LogisticRegression(C=100, max_iter=1000))


def left(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "compiled").iterdir())


def test_a_model_that_answers_the_same_is_packed_with_its_schema_and_the_comparison(job, rows, tmp_path) -> None:
    root, environment = job(fitting())
    report = run(root, environment)
    assert left(root) == ["model.tar.gz", "report.json", "schema.json"]
    assert json.loads((root / "compiled" / "report.json").read_text()) == report
    packed = (root / "compiled" / "model.tar.gz").read_bytes()
    assert report["archive"] == {"sha256": sha256(packed).hexdigest(), "bytes": len(packed)}
    assert (report["serve"], report["reason"], report["schema"]) == ("onnx", "", True)
    found = report["conversion"]
    assert (found["holdout_rows"], found["same_labels"]) == (60, True)
    accuracy = found["accuracy"]
    assert accuracy["column"] == "label"
    assert accuracy["python"] == accuracy["onnx"] > 0.9
    unpack(root / "compiled" / "model.tar.gz", tmp_path / "served", report["archive"]["sha256"])
    assert load_compiled(tmp_path / "served").predict([[[12.5]], [["a"]]])[0] == ["high"]
    inside = (tmp_path / "served" / "schema.json").read_bytes()
    assert (root / "compiled" / "schema.json").read_bytes() == inside


def test_another_process_makes_the_same_bytes(job) -> None:
    root, environment = job(fitting())
    first = run(root, environment)["archive"]
    program = "import os, pathlib, sys; from modelwright.serving.compiled.compile_job import run; "
    command = [sys.executable, "-c", program + "run(pathlib.Path(sys.argv[1]), os.environ)", str(root)]
    for seed in ("1", "3"):
        subprocess.run(command, check=True, env={**os.environ, **environment, "PYTHONHASHSEED": seed})
        again = json.loads((root / "compiled" / "report.json").read_text())
        assert again["archive"] == first


def test_an_estimator_that_is_no_classifier_keeps_its_script_and_its_columns(job, rows) -> None:
    root, environment = job(LinearRegression(), columns=("number",), target="number")
    report = run(root, environment)
    assert left(root) == ["report.json", "schema.json"]
    assert report["serve"] == "python"
    assert report["reason"].startswith("not convertible: LinearRegression.")
    assert report["conversion"] is report["archive"] is None
    schema = Schema.from_json((root / "compiled" / "schema.json").read_text())
    assert schema.names == ("number",)
    assert schema.outputs.form == "unknown"


def test_unequal_answers_keep_the_script(job, rows) -> None:
    """scikit-learn's forest takes a missing number, sklearn-onnx's sends it another way."""
    root, environment = job(RandomForestClassifier(n_estimators=5, random_state=0), columns=("number",))
    report = run(root, environment)
    assert report["serve"] == "python"
    assert "rows without number" in report["reason"]
    assert left(root) == ["report.json", "schema.json"]


@pytest.mark.parametrize(
    ("estimator", "text", "serve", "said"),
    [
        (None, SCRIPT, "python", "not convertible: dict. "),
        (LogisticRegression(), "import no_such_thing\n", "framework", "no_such_thing"),
        (LogisticRegression(), "def model_fn(folder): return {}['gone']\n", "framework", "model_fn failed"),
        (
            LogisticRegression(),
            SCRIPT + "def output_fn(found, accept): return '{\"mine\": 1}'\n",
            "python",
            "of a form that",
        ),
    ],
    ids=[
        "no estimator",
        "a script that cannot be imported",
        "a model that cannot be loaded",
        "answers of its own form",
    ],
)
def test_what_cannot_be_converted_says_why(job, estimator, text, serve, said) -> None:
    """What our image cannot load, it cannot serve either: AWS's, which trained, has more libraries."""
    root, environment = job(estimator, columns=("number",), text=text)
    report = run(root, environment)
    assert report["serve"] == serve
    assert said in report["reason"]
    assert "model.tar.gz" not in left(root)


def test_another_archive_than_the_packaged_one_is_not_loaded(job) -> None:
    root, _ = job(fitting())
    report = run(root, {"MODELWRIGHT_MODEL_SHA256": "0" * 64})
    assert report["serve"] == "python"
    assert "was expected; it is not loaded" in report["reason"]
    assert left(root) == ["report.json"]


def test_an_error_nobody_expected_is_a_reason_too(job, monkeypatch, capsys) -> None:
    root, environment = job(fitting())
    monkeypatch.setattr("modelwright.serving.compiled.convert.to_onnx", lambda *_: 1 / 0)
    report = run(root, environment)
    assert report["reason"] == "The conversion failed: ZeroDivisionError: division by zero"
    assert "Traceback" in capsys.readouterr().err
