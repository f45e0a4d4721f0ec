"""A model that is converted and served without the libraries that made it; what is not converted, and why."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import joblib
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from modelwright.serving.compiled.conversion import Refused
from modelwright.serving.compiled.convert import Source, convert
from modelwright.serving.compiled.model import load_compiled
from modelwright.serving.problems import ArchiveError, StartupError
from modelwright.serving.schema import Schema

SAMPLE = Path(__file__).resolve().parents[3] / "training_code" / "penguins"
PLAIN = "import joblib\ndef model_fn(folder): return joblib.load(folder + '/model.joblib')\n"
FRAMES = (
    PLAIN
    + "import json, pandas\n"
    + ("def input_fn(body, kind): return pandas.DataFrame(json.loads(body))\nCONTENT_TYPES = ['application/json']\n")
)
MEASURED = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def script(name: str, *arguments: str) -> None:
    subprocess.run([sys.executable, str(SAMPLE / name), *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    places = ["--train", str(folder / "train"), "--test", str(folder / "test")]
    script("process.py", "--input", str(SAMPLE / "data" / "penguins.csv"), *places)
    return folder


def packed(folder: Path, data: Path) -> Source:
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    return Source(archive, sha256(archive.read_bytes()).hexdigest(), data / "train", data / "test")


@pytest.fixture(scope="module")
def penguins(data, tmp_path_factory):
    """(the model's folder, its source, the folder of the compiled one, the report)."""
    folder = tmp_path_factory.mktemp("penguins") / "model"
    script("train.py", "--train", str(data / "train"), "--model-dir", str(folder))
    (folder / "code").mkdir()
    shutil.copy2(SAMPLE / "inference.py", folder / "code")
    source, into = packed(folder, data), tmp_path_factory.mktemp("compiled")
    return folder, source, into, convert(source, into)


@pytest.fixture
def fitted(data, tmp_path):
    """Pack an estimator fitted to the data, with the script."""

    def make(estimator, columns=MEASURED, text: str = PLAIN, target=None) -> Source:
        frame = pd.read_csv(data / "train" / "train.csv")
        estimator.fit(frame[columns], frame["sex"] if target is None else target)
        (tmp_path / "model" / "code").mkdir(parents=True)
        joblib.dump(estimator, tmp_path / "model" / "model.joblib")
        (tmp_path / "model" / "code" / "inference.py").write_text(text)
        return packed(tmp_path / "model", data)

    return make


def refusal(source: Source, into: Path) -> str:
    with pytest.raises(Refused) as error:
        convert(source, into)
    return str(error.value)


def near(left: object, right: object) -> bool:
    """Whether two JSON documents are the same but for 1e-5 in their numbers."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, abs_tol=1e-5)
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(near(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(near, left, right))
    return left == right


def test_the_report_and_the_schema_of_the_sample(penguins) -> None:
    _, source, into, report = penguins
    assert report["same_labels"]
    assert report["largest_difference"] <= 1e-5
    assert report["bytes"] == (into / "model.onnx").stat().st_size
    assert report["archive_sha256"] == source.sha256
    assert json.loads((into / "report.json").read_text()) == report
    schema = Schema.from_json((into / "schema.json").read_text())
    assert schema.names == ("species", "island", *MEASURED)
    assert all(column.missing for column in schema.columns)
    assert [column.unknown for column in schema.columns[:2]] == [True, True]
    assert schema.columns[0].categories == ("Adelie", "Chinstrap", "Gentoo")
    assert (schema.outputs.labels, schema.outputs.label) == (("female", "male"), "sex")


def test_a_client_cannot_tell_the_compiled_server_from_the_other(penguins, data, start) -> None:
    folder, _, into, _ = penguins
    python = start(folder=folder, script=(SAMPLE / "inference.py").read_text())
    compiled = start(folder=into, script="raise SystemExit('the script is not imported')")
    frame = pd.read_csv(data / "test" / "test.csv")
    features = frame[["species", "island", *MEASURED]]
    bodies = [
        (frame.to_csv(index=False), "text/csv"),
        (features.to_csv(index=False, header=False), "text/csv; charset=utf-8"),
        ("\ufeff" + features.to_csv(index=False, lineterminator="\r\n"), "text/csv"),
        (features.assign(species="Emperor", body_mass_g=None).to_csv(index=False), "text/csv"),
        (features.to_json(orient="records"), "application/json"),
        (json.dumps({"instances": json.loads(features.to_json(orient="records"))}), "application/json"),
        (features.iloc[0].to_json(), "application/json"),
    ]
    for body, content_type in bodies:
        for accept in ("application/json", "text/csv", "text/html, text/*;q=0.5"):
            wanted = python.invoke(body.encode(), content_type, accept)
            found = compiled.invoke(body.encode(), content_type, accept)
            assert (found.status, found.headers["content-type"]) == (200, wanted.headers["content-type"])
            if accept == "application/json":
                assert near(found.json, wanted.json)
            else:
                values = [[line.split(",") for line in answer.body.decode().splitlines()] for answer in (found, wanted)]
                assert near(*([[row[0], *map(float, row[1:])] for row in rows] for rows in values))
    assert compiled.stop()[0] == 0


def test_a_compiled_model_needs_no_hash_where_somebody_else_unpacked_it_and_a_script_does(penguins, start) -> None:
    """SageMaker unpacks the archive itself: what runs no code of the model's is served all the same."""
    folder, _, into, _ = penguins
    assert start(folder=into, MODELWRIGHT_MODEL_SHA256="0" * 64).told["ready"] is True
    python = start(folder=folder, script=(SAMPLE / "inference.py").read_text(), MODELWRIGHT_MODEL_SHA256="0" * 64)
    assert "there is no --archive whose hash could be compared" in python.told["reason"]


@pytest.mark.parametrize(
    ("status", "body", "types"),
    [
        (400, b"", ("text/csv", "*/*")),
        (400, b"Adelie,Dream,x,18.7,181,3750\n", ("text/csv", "*/*")),
        (400, b'{"species": "Ad', ("application/json", "*/*")),
        (400, b"\xff", ("application/json", "*/*")),
        (415, b"<x/>", ("application/xml", "*/*")),
        (406, b"Adelie,Dream,39.1,18.7,181,3750\n", ("text/csv", "image/png")),
    ],
)
def test_a_bad_request_is_told_and_the_next_is_answered(penguins, start, status, body, types) -> None:
    server = start(folder=penguins[2])
    answer = server.invoke(body, *types)
    assert (answer.status, set(answer.json)) == (status, {"error", "message"})
    assert server.invoke(b"Adelie,Dream,39.1,18.7,181,3750\n").status == 200


def test_nothing_is_unpickled_and_no_training_library_is_imported(penguins) -> None:
    """NumPy imports the module `pickle`; that nothing is unpickled is what Python's own audit event tells."""
    program = """
        import pathlib, sys
        def audit(event, arguments):
            assert event != "pickle.find_class", arguments
        sys.addaudithook(audit)
        import modelwright.serving.process.server
        from modelwright.serving.model import Request
        from modelwright.serving.compiled.model import load_compiled
        model = load_compiled(pathlib.Path(sys.argv[1]))
        bodies = {"text/csv": b"Adelie,Dream,39.1,18.7,181,3750", "application/json": b'[["a","b",1,2,3,null]]'}
        for kind, body in bodies.items():
            assert model.run(model.prepare(Request(body, {"content-type": kind}))).body
        print(sorted({"pandas", "sklearn", "joblib", "scipy", "skl2onnx", "onnx", "cloudpickle"} & set(sys.modules)))
    """
    text = "\n".join(line[8:] for line in program.splitlines())
    done = subprocess.run([sys.executable, "-c", text, str(penguins[2])], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_onnx_runtime_starts_no_thread_that_tells_others_of_the_model(penguins) -> None:
    program = """
        import pathlib, sys
        from modelwright.serving.compiled.model import load_compiled
        from modelwright.serving.process.server import threads_beside
        load_compiled(pathlib.Path(sys.argv[1]))
        print(threads_beside())
    """
    text = "\n".join(line[8:] for line in program.splitlines())
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run(
        [sys.executable, "-c", text, str(penguins[2])], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout == "0\n"


def test_two_workers_serve_a_compiled_model(penguins, start) -> None:
    server = start(folder=penguins[2], MODELWRIGHT_WORKERS="2")
    assert server.told["ready"] is True, server.told
    for _ in range(8):
        assert server.invoke(b"Adelie,Dream,39.1,18.7,181,3750\n").status == 200
    assert b"modelwright_workers 2\n" in server.ask("GET", "/metrics").body
    assert server.stop()[0] == 0


def test_a_wish_for_python_is_followed_and_one_for_onnx_needs_its_files(penguins, start) -> None:
    folder = penguins[2]
    python = start(folder=folder, script="def model_fn(d): raise RuntimeError('python')", MODELWRIGHT_SERVE="python")
    assert python.told["reason"] == "model_fn failed: RuntimeError: python"
    onnx = start(script=PLAIN, MODELWRIGHT_SERVE="onnx")
    assert "There is no model.onnx and no schema.json in the model" in onnx.told["reason"]
    assert "must be auto, python, framework, onnx" in start(script=PLAIN, MODELWRIGHT_SERVE="fast").told["reason"]


def test_a_schema_of_another_model_is_found_at_the_start(penguins, tmp_path) -> None:
    shutil.copytree(penguins[2], tmp_path / "m")
    document = json.loads((tmp_path / "m" / "schema.json").read_text())
    document["columns"].reverse()
    (tmp_path / "m" / "schema.json").write_text(json.dumps(document))
    with pytest.raises(StartupError, match="they are not of one model"):
        load_compiled(tmp_path / "m")
    (tmp_path / "m" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(StartupError, match=r"model\.onnx cannot be loaded"):
        load_compiled(tmp_path / "m")


def test_a_classifier_without_a_pipeline_and_a_script_with_model_fn_alone(fitted, tmp_path) -> None:
    report = convert(fitted(GaussianNB()), tmp_path)
    assert report["same_labels"]
    schema = Schema.from_json((tmp_path / "schema.json").read_text())
    assert schema.outputs.form == "labels"
    assert not any(column.missing for column in schema.columns)  # GaussianNB refuses NaN
    server = load_compiled(tmp_path)
    assert server.predict([[[39.1]], [[18.7]], [[181]], [[3750]]])[0] in (["male"], ["female"])


def test_categories_are_strict_where_the_model_is(fitted, tmp_path) -> None:
    columns = make_column_transformer((OneHotEncoder(), ["island"]), ("passthrough", ["body_mass_g"]))
    convert(fitted(make_pipeline(columns, LogisticRegression(max_iter=9)), ["island", "body_mass_g"], FRAMES), tmp_path)
    island = Schema.from_json((tmp_path / "schema.json").read_text()).columns[0]
    assert (island.unknown, island.missing) == (False, False)
    assert island.allowed() == "'Biscoe', 'Dream' or 'Torgersen'"


def test_a_model_that_treats_missing_values_otherwise_is_refused(fitted, tmp_path) -> None:
    """scikit-learn's forests take NaN, and sklearn-onnx's send it down the other branch."""
    source = fitted(RandomForestClassifier(5, random_state=1), MEASURED)
    assert "in rows without " in refusal(source, tmp_path)


def test_what_has_no_converter_is_named(fitted, tmp_path) -> None:
    source = fitted(make_pipeline(FunctionTransformer(abs), LogisticRegression(max_iter=9)))
    assert "FunctionTransformer" in refusal(source, tmp_path)


def test_a_regression_is_refused(fitted, tmp_path, data) -> None:
    target = pd.read_csv(data / "train" / "train.csv")["body_mass_g"]
    source = fitted(LinearRegression(), MEASURED[:2], target=target)
    assert refusal(source, tmp_path).startswith("not convertible: LinearRegression. It is no classifier")


def test_answers_of_another_form_are_refused(fitted, tmp_path) -> None:
    text = PLAIN + "def output_fn(p, accept): return '{\"answer\": 1}', 'application/json'\n"
    assert 'found {"answer": 1}' in refusal(fitted(GaussianNB(), text=text), tmp_path)


def test_a_model_that_computes_otherwise_is_refused(penguins, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("modelwright.serving.compiled.comparison.LARGEST_DIFFERENCE", 1e-12)
    assert "differ by" in refusal(penguins[1], tmp_path)


def test_an_archive_of_another_hash_is_not_unpickled(penguins, tmp_path) -> None:
    source = penguins[1]
    with pytest.raises(ArchiveError, match="it is not loaded"):
        convert(Source(source.archive, "0" * 64, source.train, source.test), tmp_path)
    assert list(tmp_path.iterdir()) == []
