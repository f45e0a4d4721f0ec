"""`ChooseModel` on S3 and the table: which archive is served, under which hash, with which schema beside it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto_platform import moto_platform

import choose_model.handler as choose
from choose_model.domain import ArchiveChanged, NotCompiled, ReportInvalid, from_report, not_converted, serving
from shared.table import from_item, run_key

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENVIRONMENT = {
    "PIPELINE": "penguins",
    "ARTIFACT_BUCKET": "artifacts",
    "TABLE_NAME": "mw-dev",
    "KEY_ARN": KEY,
}
PACKAGED = "a" * 64
FILES = "f" * 64
COMPILED = b"the compiled archive"
HASH = hashlib.sha256(COMPILED).hexdigest()
NOTHING = {"state": "", "error": "", "cause": ""}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto_platform(monkeypatch, ENVIRONMENT, "artifacts"):
        yield


def report(**changes: Any) -> dict[str, Any]:
    archive = {"sha256": HASH, "bytes": len(COMPILED)}
    return {"version": 1, "serve": "onnx", "reason": "", "archive": archive, "schema": True, **changes}


def left(**files: bytes) -> None:
    for name, content in files.items():
        put = boto3.client("s3").put_object
        key = {"report": "report.json", "schema": "schema.json", "model": "model.tar.gz"}[name]
        put(Bucket="artifacts", Key=f"runs/penguins/r1/compiled/{key}", Body=content)


def ask(serve: str = "auto", **problem: str) -> dict[str, Any]:
    event = {
        "run": "r1",
        "prefix": "s3://artifacts/runs/penguins/r1/",
        "sha256": PACKAGED,
        "files_sha256": FILES,
        "serve": serve,
    }
    return choose.handler({**event, "problem": {**NOTHING, **problem}}, None)


def models() -> dict[str, bytes]:
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket="artifacts", Prefix="models/").get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket="artifacts", Key=each["Key"])["Body"].read() for each in found}


def recorded() -> dict[str, Any]:
    return from_item(boto3.client("dynamodb").get_item(TableName="mw-dev", Key=run_key("penguins", "r1"))["Item"])


def test_the_compiled_archive_is_stored_under_its_hash_with_its_schema() -> None:
    left(report=json.dumps(report()).encode(), schema=b"{}", model=COMPILED)
    assert ask("onnx") == {
        "serve": "onnx",
        "uri": f"s3://artifacts/models/penguins/{HASH}/model.tar.gz",
        "sha256": HASH,
        "python_sha256": PACKAGED,
        "files_sha256": "",
        "reason": "",
    }
    folder = f"models/penguins/{HASH}"
    assert models() == {f"{folder}/model.tar.gz": COMPILED, f"{folder}/schema.json": b"{}"}
    for key in models():
        assert boto3.client("s3").head_object(Bucket="artifacts", Key=key)["SSEKMSKeyId"] == KEY
    assert (recorded()["serve"], recorded()["serve_reason"]) == ("onnx", "")
    assert ask("onnx")["sha256"] == HASH  # a second attempt comes to the same


def test_the_packaged_archive_serves_when_it_is_not_compiled_and_gets_the_schema() -> None:
    left(report=json.dumps(report(reason="not convertible: Net.", archive=None)).encode(), schema=b"{}")
    found = ask()
    assert (found["serve"], found["sha256"], found["reason"]) == ("python", PACKAGED, "not convertible: Net.")
    assert found["files_sha256"] == FILES
    assert found["uri"] == f"s3://artifacts/models/penguins/{PACKAGED}/model.tar.gz"
    assert models() == {f"models/penguins/{PACKAGED}/schema.json": b"{}"}
    assert recorded()["serve_reason"] == "not convertible: Net."
    with pytest.raises(
        NotCompiled, match=r"deploy\.serve is onnx, and the model is not compiled: not convertible: Net"
    ):
        ask("onnx")


def test_what_our_image_could_not_load_is_served_by_aws_s() -> None:
    """It imports boto3, say, which AWS's image has; in ours its endpoint would fail."""
    cause = "inference.py cannot be imported: No module named 'boto3'"
    left(report=json.dumps(report(serve="framework", reason=cause, archive=None, schema=False)).encode())
    found = ask()
    assert (found["serve"], found["sha256"], found["reason"]) == ("framework", PACKAGED, cause)
    assert recorded()["serve"] == "framework"


def test_another_archive_than_the_compared_one_is_never_served() -> None:
    left(report=json.dumps(report()).encode(), schema=b"{}", model=b"something else")
    with pytest.raises(ArchiveChanged, match="the report names"):
        ask()
    assert models() == {}


def test_a_job_that_leaves_no_report_is_a_reason() -> None:
    assert ask()["reason"] == "the conversion ended well, but left no report.json"


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (
            ("ConvertModel", "States.TaskFailed", '{"FailureReason": "AlgorithmError: killed"}'),
            "AlgorithmError: killed",
        ),
        (
            ("ConvertModel", "States.TaskFailed", '{"FailureReason": "CapacityError: no machine"}'),
            "CapacityError: no machine",
        ),
        (("FindServingImage", "Ecr.EcrException", "no access"), "Ecr.EcrException: no access"),
        (("ConvertModel", "States.Timeout", "[1]"), "States.Timeout: [1]"),
        (
            (
                "BuildServingImage",
                "States.TaskFailed",
                json.dumps(
                    {
                        "Build": {
                            "Id": "p:1",
                            "BuildStatus": "FAILED",
                            "Phases": [
                                {"PhaseType": "QUEUED", "PhaseStatus": "SUCCEEDED"},
                                {"PhaseType": "BUILD", "PhaseStatus": "FAILED", "Contexts": [{"Message": "exit 1"}]},
                            ],
                        }
                    }
                ),
            ),
            "the build p:1 failed in BUILD: exit 1",
        ),
        (
            ("BuildServingImage", "States.TaskFailed", '{"Build": {"Id": "p:1", "BuildStatus": "TIMED_OUT"}}'),
            "the build p:1 ended as TIMED_OUT",
        ),
    ],
)
def test_what_went_wrong_before_is_said_in_a_sentence(problem: tuple[str, str, str], reason: str) -> None:
    state, error, cause = problem
    found = ask(state=state, error=error, cause=cause)
    died = "AlgorithmError" in cause  # with its own scikit-learn and the script: our image would, too
    serve = "python" if state == "ConvertModel" and not died else "framework"
    assert (found["serve"], found["reason"]) == (serve, f"{state}: {reason}")
    assert recorded()["serve"] == serve


def test_a_framework_that_is_too_old_says_so_itself() -> None:
    problem = {**NOTHING, "cause": "not convertible: scikit-learn 0.23"}
    assert not_converted(problem).reason.startswith("not conv")
    assert serving(not_converted(problem), problem) == "framework"


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b'{"version": 1}',
        json.dumps(report(version=2)).encode(),
        json.dumps(report(archive=None)).encode(),
        json.dumps(report(reason="both")).encode(),
        json.dumps(report(archive={"sha256": "../../x"})).encode(),
    ],
)
def test_a_report_of_another_form_is_an_error(text: bytes) -> None:
    with pytest.raises(ReportInvalid):
        from_report(text)


def test_a_reason_is_cut() -> None:
    assert len(from_report(json.dumps(report(reason="x" * 5000, archive=None)).encode()).reason) == 1000
