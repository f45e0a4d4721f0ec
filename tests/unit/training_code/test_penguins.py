"""The penguins' scripts: each by its functions, and once each as a process, as jobs run them."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[3] / "training_code" / "penguins"
DATA = FOLDER / "data" / "penguins.csv"


def script(name: str) -> ModuleType:
    """Import a script under a name of its own: other pipelines have a `train.py`, too."""
    spec = importlib.util.spec_from_file_location(f"penguins_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


process, train, evaluate, inference = map(script, ("process", "train", "evaluate", "inference"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three scripts, run in this process; the model also as SageMaker packs it."""
    root = tmp_path_factory.mktemp("penguins")
    process.main(["--input", str(DATA), "--train", str(root / "train"), "--test", str(root / "test")])
    train.main(["--train", str(root / "train"), "--model-dir", str(root / "model")])
    (root / "packed").mkdir()
    with tarfile.open(root / "packed" / "model.tar.gz", "w:gz") as tar:
        tar.add(root / "model" / "model.joblib", "model.joblib")
    arguments = ["--model", str(root / "packed"), "--test", str(root / "test"), "--output", str(root / "evaluation")]
    evaluate.main(arguments)
    return root


@pytest.fixture(scope="module")
def model(work: Path) -> dict:
    return inference.model_fn(str(work / "model"))


def ask(model: dict, body: str | bytes, kind: str = "text/csv", accept: str = "application/json") -> tuple[str, str]:
    return inference.output_fn(inference.predict_fn(inference.input_fn(body, kind), model), accept)


def test_the_data_are_those_of_the_publication() -> None:
    rows = pd.read_csv(DATA)
    assert rows.shape == (344, 8)
    assert rows["species"].value_counts().to_dict() == {"Adelie": 152, "Gentoo": 124, "Chinstrap": 68}


def test_the_split_is_complete_disjoint_and_balanced(work: Path) -> None:
    parts = [pd.read_csv(work / name / f"{name}.csv") for name in ("train", "test")]
    whole = pd.concat(parts)
    assert [len(part) for part in parts] == [249, 84]
    assert not whole.isna().any().any()
    assert not whole.duplicated().any()
    assert all(abs((part["sex"] == "male").mean() - 0.5) < 0.02 for part in parts)


def test_the_model_is_good_and_its_report_whole(work: Path) -> None:
    report = json.loads((work / "evaluation" / "evaluation.json").read_text())
    metrics = report["metrics"]
    assert set(metrics) == {"accuracy", "f1", "roc_auc", "log_loss"}
    assert metrics["accuracy"] >= 0.85
    assert metrics["roc_auc"] >= 0.9
    assert metrics["log_loss"] <= 0.4
    rows = report["confusion_matrix"]["rows"]
    assert report["confusion_matrix"]["labels"] == ["female", "male"]
    assert sum(map(sum, rows)) == report["n_rows"] == 84
    assert (rows[0][0] + rows[1][1]) / 84 == pytest.approx(metrics["accuracy"])


def test_the_same_data_give_the_same_split_and_model(work: Path, tmp_path: Path) -> None:
    process.main(["--input", str(DATA), "--train", str(tmp_path / "train"), "--test", str(tmp_path / "test")])
    train.main(["--train", str(tmp_path / "train"), "--model-dir", str(tmp_path / "model")])
    for name in ("train/train.csv", "test/test.csv", "model/model.joblib"):
        assert (tmp_path / name).read_bytes() == (work / name).read_bytes()


def test_a_hyperparameter_changes_the_model(work: Path, tmp_path: Path) -> None:
    train.main(["--train", str(work / "train"), "--model-dir", str(tmp_path), "-C", "0.001", "--max-iter", "50"])
    weights = [inference.model_fn(str(folder))["model"]["classifier"].coef_ for folder in (tmp_path, work / "model")]
    assert abs(weights[0]).sum() < abs(weights[1]).sum() / 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "things.csv is empty"),
        ("species,island\nAdelie,Dream\n", "things.csv has no column bill_length_mm, .*; it has species, island"),
        (
            DATA.read_text().replace("39.1", "long", 1),
            "things.csv: bill_length_mm is 'long' in row 1; it must be a number",
        ),
        (DATA.read_text().replace(",male,", ",mail,", 1), "sex is 'mail'; it must be female or male"),
        ("".join(DATA.read_text().splitlines(keepends=True)[:9]), "complete rows .*; needed are 20 with both sexes"),
        (
            "".join(line for line in DATA.read_text().splitlines(keepends=True) if ",male," not in line),
            "with both sexes",
        ),
    ],
)
def test_wrong_data_are_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "things.csv").write_text(text)
    with pytest.raises(ValueError, match=problem):
        process.main(["--input", str(tmp_path), "--train", str(tmp_path / "t"), "--test", str(tmp_path / "u")])


def test_data_in_folders_below_count_too(tmp_path: Path) -> None:
    """New data come in a folder each; a run on all of them gets the folder above."""
    text = DATA.read_text().splitlines(keepends=True)
    for name, rows in (("day-1", text[1:200]), ("day-2", text[200:])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "penguins.csv").write_text("".join([text[0], *rows]))
    assert len(process.read_rows(tmp_path)) == len(process.read_rows(DATA))


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    for arguments in (["--input", str(tmp_path)], ["--train", str(tmp_path)], ["--test", str(tmp_path)]):
        module = {"--input": process, "--train": train}.get(arguments[0])
        with pytest.raises(ValueError, match=r"holds no \.csv file"):
            module.main(arguments) if module else evaluate.read_rows(tmp_path, [])


def test_a_hostile_model_archive_writes_nothing_outside(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("../escaped")
        tar.addfile(member, io.BytesIO())
    with pytest.raises(tarfile.OutsideDestinationError):
        evaluate.load_model(tmp_path)


def test_the_data_file_itself_can_be_asked(model: dict) -> None:
    """It has the answer as a column, another column too many, and a row without any measurement."""
    body = "".join(DATA.read_text().splitlines(keepends=True)[:5])
    found = json.loads(ask(model, body.encode())[0])["predictions"]
    assert [row["sex"] for row in found[:3]] == ["male", "female", "female"]
    assert len(found) == 4
    assert all(sum(row["probability"].values()) == pytest.approx(1) for row in found)


def test_every_form_of_a_row_gives_the_same_answer(model: dict) -> None:
    row = {
        "species": "Gentoo",
        "island": "Biscoe",
        "bill_length_mm": 50,
        "bill_depth_mm": 16.3,
        "flipper_length_mm": 230,
        "body_mass_g": 5700,
    }
    line = ",".join(map(str, row.values()))
    header = ",".join(row)
    backwards = ",".join(reversed(header.split(","))) + "\n" + ",".join(reversed(line.split(",")))
    expected = ask(model, line)
    assert json.loads(expected[0])["predictions"][0]["sex"] == "male"
    for body in (f"{header}\n{line}\n", f"\ufeff{header}\r\n{line}\r\n", f",{header}\n0,{line}", backwards):
        assert ask(model, body.encode(), "text/csv; charset=utf-8") == expected
    for document in (row, [row], {"instances": [row]}):
        assert ask(model, json.dumps(document), "application/json") == expected


def test_a_missing_measurement_and_an_unknown_category_get_an_answer(model: dict) -> None:
    row = {"species": "Emperor", "island": None, "bill_length_mm": None, "bill_depth_mm": "18.7"}
    row |= {"flipper_length_mm": 181, "body_mass_g": 3750}
    assert json.loads(ask(model, json.dumps(row), "application/json")[0])["predictions"][0]["sex"] in {"male", "female"}


def test_csv_is_answered_as_csv_when_asked_for(model: dict) -> None:
    text, kind = ask(model, (FOLDER / "data" / "smoke.csv").read_bytes(), accept="text/csv")
    assert kind == "text/csv"
    assert len(text.splitlines()) == 6
    assert text.startswith("male,0.")


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        ("", "text/csv", "the request has no rows"),
        ("species,island\n", "text/csv", "the column bill_length_mm, .* is missing"),
        ("1,2\n", "text/csv", "a row without a header has 2 values; it must have species, island"),
        ("Adelie,Dream,x,1,1,1\n", "text/csv", "bill_length_mm is 'x'; it must be a number"),
        ("{", "application/json", "Expecting"),
        ("[1]", "application/json", "JSON must be an object, a list of objects"),
        ("[]", "application/json", "the request has no rows"),
        ('{"species": "Adelie"}', "application/json", "the column island, .* is missing"),
        ("<a/>", "text/xml", "the content type is 'text/xml'; it must be text/csv or application/json"),
    ],
)
def test_a_wrong_request_is_named(model: dict, body: str, kind: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ask(model, body, kind)


def test_the_scripts_run_as_processes_and_fail_with_the_reason_last(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "process.py"), "--input", str(DATA)]
    run = subprocess.run(
        [*command, "--train", str(tmp_path / "a"), "--test", str(tmp_path / "b")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "344 rows read, 333 complete and different; 249 to train, 84 to test\n"
    (tmp_path / "empty").mkdir()
    environment = {"SM_CHANNEL_TRAIN": str(tmp_path / "empty"), "SM_MODEL_DIR": str(tmp_path / "m"), "PATH": ""}
    failed = subprocess.run(
        [sys.executable, str(FOLDER / "train.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == f"ValueError: {tmp_path / 'empty'} holds no .csv file"


@pytest.mark.parametrize("arguments", [["-C", "0"], ["-C", "x"], ["--max-iter", "0"], ["--nope", "1"]])
def test_a_wrong_hyperparameter_ends_training(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(arguments)
    assert "error:" in capsys.readouterr().err
