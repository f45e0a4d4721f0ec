"""CreateTransformJob and its neighbours: objects in, outputs in their order, joined as AWS joins."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from modelwright.local.s3 import About

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOIN = {"JoinSource": "Input"}


def test_every_object_of_a_prefix_has_an_output_of_its_name(transforms: Any) -> None:
    job = transforms.run({"a.csv": "1,2\n3,4\n", "b/c.csv": "5,6"})
    assert job["TransformJobStatus"] == "Completed", job
    assert transforms.outputs() == {"a.csv.out": "3\n7\n", "b/c.csv.out": "11\n"}
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in transforms.log(
        job["TransformJobName"]
    )


def test_joined_output_is_each_record_with_its_answer(transforms: Any) -> None:
    job = transforms.run({"a.csv": "1,2\r\n3,4\r\n"}, DataProcessing=JOIN)
    assert job["TransformJobStatus"] == "Completed", transforms.log(job["TransformJobName"])
    assert transforms.outputs() == {"a.csv.out": "1,2,3\n3,4,7\n"}


def test_filters_choose_what_the_model_gets_and_what_is_kept(transforms: Any) -> None:
    processing = {"JoinSource": "Input", "InputFilter": "$[1:]", "OutputFilter": "$[0,-1]"}
    job = transforms.run({"a.csv": 'one,1,2\ntwo,"3",4\n'}, DataProcessing=processing)
    assert job["TransformJobStatus"] == "Completed", transforms.log(job["TransformJobName"])
    assert transforms.outputs() == {"a.csv.out": "one,3\ntwo,7\n"}


def test_json_lines_are_asked_one_by_one_and_joined_as_objects(transforms: Any) -> None:
    job = transforms.run(
        {"a.jsonl": '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n'},
        media="application/json",
        BatchStrategy="SingleRecord",
        DataProcessing=JOIN,
    )
    assert job["TransformJobStatus"] == "Completed", transforms.log(job["TransformJobName"])
    lines = [json.loads(line) for line in transforms.outputs()["a.jsonl.out"].splitlines()]
    assert lines == [
        {"a": 1, "b": 2, "SageMakerOutput": {"sum": 3.0}},
        {"a": 3, "b": 4, "SageMakerOutput": {"sum": 7.0}},
    ]


def test_many_payloads_at_once_come_back_in_order(transforms: Any) -> None:
    lines = [f"{number},{number % 7}" for number in range(400_000)]
    body = "\n".join(lines) + "\n"
    job = transforms.run(
        {"a.csv": body, "b.csv.gz": "1,2\n"}, MaxConcurrentTransforms=4, MaxPayloadInMB=1, DataProcessing=JOIN
    )
    assert job["TransformJobStatus"] == "Completed", transforms.log(job["TransformJobName"])
    written = transforms.outputs()["a.csv.out"]
    stored = transforms.cloud.s3.head("batch-bucket", f"out/{transforms.folder}/a.csv.out")
    assert stored.sha256 == hashlib.sha256(written.encode()).hexdigest()
    assert stored.etag.strip('"') == hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()
    found = written.splitlines()
    assert len(found) == len(lines)
    assert [line.rsplit(",", 1)[0] for line in found] == lines


def test_gzip_is_unpacked(transforms: Any) -> None:
    uri = transforms.put({"a.csv.gz": gzip.compress(b"1,2\n")})
    request = transforms.request(uri)
    request["TransformInput"]["CompressionType"] = "Gzip"
    transforms.client.create_transform_job(**request)
    assert transforms.ended(request["TransformJobName"])["TransformJobStatus"] == "Completed"
    assert transforms.outputs() == {"a.csv.gz.out": "3\n"}


@pytest.mark.parametrize("body", [b"1,2\n", gzip.compress(b"1,2\n" * 99)[:-9]], ids=["not packed", "cut off"])
def test_what_cannot_be_unpacked_fails_its_object_and_the_others_are_done(transforms: Any, body: bytes) -> None:
    request = transforms.request(transforms.put({"a.csv.gz": body, "b.csv.gz": gzip.compress(b"1,2\n")}))
    request["TransformInput"]["CompressionType"] = "Gzip"
    transforms.client.create_transform_job(**request)
    job = transforms.ended(request["TransformJobName"])
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert transforms.outputs() == {"b.csv.gz.out": "3\n"}
    assert "a.csv.gz: It cannot be unpacked" in transforms.log(job["TransformJobName"])


def test_a_manifest_names_the_objects(transforms: Any) -> None:
    transforms.put({"a.csv": "1,1\n", "b.csv": "2,2\n", "c.csv": "3,3\n"})
    job = transforms.ended(transforms.start(transforms.manifest("a.csv", "c.csv"), kind="ManifestFile"))
    assert job["TransformJobStatus"] == "Completed", job
    assert transforms.outputs() == {"a.csv.out": "2\n", "c.csv.out": "6\n"}


def test_a_bad_record_fails_its_object_and_the_others_are_done(transforms: Any) -> None:
    job = transforms.run({"a.csv": "1,1\n", "b.csv": "2,2\nx,2\n", "c.csv": "3,3\n"})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("Error: See job logs for more information")
    assert set(transforms.outputs()) == {"a.csv.out", "c.csv.out"}
    assert f"/in/{transforms.folder}/b.csv: " in transforms.log(job["TransformJobName"])


def test_answers_of_another_number_of_lines_cannot_be_joined(transforms: Any) -> None:
    script = "def model_fn(d):\n    return 0\n\ndef transform_fn(model, body, kind, accept):\n    return '1', accept\n"
    job = transforms.run({"a.csv": "1\n2\n"}, DataProcessing=JOIN, ModelName=transforms.model(script))
    assert (job["TransformJobStatus"], transforms.outputs()) == ("Failed", {})
    assert "Fail to join data: mismatched line count" in transforms.log(job["TransformJobName"])


def test_a_record_larger_than_a_payload_fails_its_object(transforms: Any) -> None:
    job = transforms.run({"a.csv": "1" * (2 << 20) + "\n"}, MaxPayloadInMB=1)
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert "MaxPayloadInMB" in transforms.log(job["TransformJobName"])


def test_a_model_that_dies_fails_the_job(transforms: Any) -> None:
    job = transforms.run({"a.csv": "die\n"}, ModelClientConfig={"InvocationsMaxRetries": 0})
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert "Unable to get response from algorithm" in transforms.log(job["TransformJobName"])


def test_a_container_that_does_not_start_fails_the_job_with_the_reason(transforms: Any) -> None:
    job = transforms.run({"a.csv": "1\n"}, ModelName=transforms.model("import nothing_like_it"))
    assert job["TransformJobStatus"] == "Failed"
    assert "nothing_like_it" in job["FailureReason"]


def test_nothing_below_the_prefix_fails_the_job(transforms: Any) -> None:
    job = transforms.run({})
    assert job["FailureReason"].startswith("ClientError: No S3 objects found under S3 URL")


@pytest.mark.parametrize("sid", ["ListInputs", "ReadInputs", "WriteOutputs", "LogIn", "Pull"])
def test_the_models_role_needs_each_grant(without: Callable[[str], Any], sid: str) -> None:
    transforms = without(sid)
    job = transforms.run({"a.csv": "1\n"})
    assert (job["TransformJobStatus"], transforms.outputs()) == ("Failed", {})


def test_a_job_that_is_told_to_stop_is_stopped(transforms: Any) -> None:
    name = transforms.start(transforms.put({"a.csv": "wait\n"}))
    root = transforms.cloud.directory / "jobs"
    for _ in range(12_000):
        if list(root.rglob("waits")):
            break
        time.sleep(0.01)
    else:
        raise AssertionError(transforms.log(name))
    transforms.client.stop_transform_job(TransformJobName=name)
    assert transforms.ended(name)["TransformJobStatus"] == "Stopped"
    assert transforms.outputs() == {}


def test_jobs_are_listed_with_their_status(transforms: Any) -> None:
    job = transforms.run({"a.csv": "1\n"})["TransformJobName"]
    found = transforms.client.list_transform_jobs(NameContains=job, StatusEquals="Completed")["TransformJobSummaries"]
    assert [each["TransformJobName"] for each in found] == [job]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "120; it must be at most 100"),
        ({"DataProcessing": {"InputFilter": "$..deep"}}, "no operator of batch transform's"),
        ({"DataProcessing": {"OutputFilter": "id"}}, "does not begin with $"),
        ({"ModelName": "not-there"}, "not-there"),
    ],
)
def test_a_wrong_request_is_refused(transforms: Any, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as raised:
        transforms.client.create_transform_job(**{**transforms.request(transforms.put({"a.csv": "1\n"})), **change})
    assert said in str(raised.value)


def test_types_that_cannot_be_joined_are_refused(transforms: Any) -> None:
    request = transforms.request(transforms.put({"a.csv": "1\n"}), DataProcessing=JOIN)
    request["TransformOutput"]["Accept"] = "application/json"
    with pytest.raises(ClientError, match="of one type"):
        transforms.client.create_transform_job(**request)


def test_a_file_that_is_stored_has_the_key_that_was_named(cloud: Any, tmp_path: Path) -> None:
    """Without the object being sent once more, whole, to have it written down."""
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    file = tmp_path / "a"
    file.write_bytes(b"content")
    cloud.s3.store("batch-bucket", "stored", file, about=About(kms_key_arn=key))
    found = cloud.client("s3").get_object(Bucket="batch-bucket", Key="stored")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"], found["Body"].read()) == ("aws:kms", key, b"content")
