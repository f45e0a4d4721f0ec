"""A batch transform job: what is asked for, its attempts, and what it read and wrote."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.validate import ParamValidator
from fake_batch import PEN, Aws, incoming

from modelwright.client.batch import input as batch_input
from modelwright.client.batch import job as batch_job
from modelwright.client.batch import progress as batch_progress
from modelwright.client.batch import request as batch_request
from modelwright.client.batch.heads import File
from modelwright.client.batch.input import BatchInput
from modelwright.config.pipeline import BatchSettings
from modelwright.errors import RunNotFound, WrongUsage


def job() -> batch_job.Job:
    return batch_job.new_job(PEN, "dev")


@pytest.mark.parametrize("media", [batch_input.CSV, batch_input.JSON_LINES])
@pytest.mark.parametrize("key", [None, "arn:aws:kms:eu-central-1:123456789012:key/1"])
def test_the_request_is_one_that_aws_takes(media: str, key: str | None) -> None:
    given = BatchInput((File("a", 1),), media, "data", "incoming/pen/")
    settings = BatchSettings("ml.m5.4xlarge", 2, 3600)
    made = batch_request.request(job(), given, "model", settings, batch_request.Wish(key_arn=key))
    made = batch_request.reading(made, "s3://artifacts/manifest.json")
    model = botocore.session.get_session().get_service_model("sagemaker")
    report = ParamValidator().validate(made, model.operation_model("CreateTransformJob").input_shape)
    assert not report.has_errors(), report.generate_report()
    assert made["MaxConcurrentTransforms"] * made["MaxPayloadInMB"] <= batch_request.MOST_MB
    assert made["TransformInput"]["SplitType"] == made["TransformOutput"]["AssembleWith"]
    assert made["TransformInput"]["ContentType"] == made["TransformOutput"]["Accept"]
    assert len(made["TransformJobName"]) <= 63
    assert ("VolumeKmsKeyId" in made["TransformResources"]) is (key is not None)


def test_disks_that_hardware_encrypts_get_no_key() -> None:
    given = BatchInput((), batch_input.CSV, "data", "")
    made = batch_request.request(
        job(), given, "m", BatchSettings("ml.g5.xlarge", 1, 60), batch_request.Wish(key_arn="arn:k")
    )
    assert "VolumeKmsKeyId" not in made["TransformResources"]
    assert made["TransformOutput"]["KmsKeyId"] == "arn:k"


@pytest.mark.parametrize(
    ("instance", "count"),
    [("ml.m5.large", 2), ("ml.m5.xlarge", 4), ("ml.m5.2xlarge", 8), ("ml.m5.24xlarge", 96), ("ml.t2.medium", 2)],
)
def test_processors_of_an_instance(instance: str, count: int) -> None:
    assert batch_request.processors(instance) == count


def test_attempts_have_one_id_and_one_place() -> None:
    first = job()
    second = batch_job.next_attempt(PEN, "dev", first.name)
    assert (second.name, second.prefix) == (f"{first.name[:-2]}01", first.prefix)
    assert batch_job.previous_name(second) == first.name
    assert batch_job.next_attempt(PEN, "dev", second.name).name.endswith("-02")
    assert batch_job.next_attempt(PEN, "dev", first.name.split("-")[3]) == second


@pytest.mark.parametrize(
    "name", ["x", "dev-pen-batch-0123", "prod-pen-batch-0123456789ab-00", "dev-pen-batch-0123456789ab-99"]
)
def test_other_jobs_are_not_resumed(name: str) -> None:
    with pytest.raises(WrongUsage):
        batch_job.next_attempt(PEN, "dev", name)


@pytest.mark.parametrize("folder", ["", "incoming/pen/day/", "day/"])
def test_outputs_are_found_wherever_aws_puts_them(folder: str) -> None:
    one = job()
    files = [File("a.csv", 1), File("b/a.csv", 1), File("c.csv", 1)]
    aws = Aws({("artifacts", f"{one.prefix}{folder}{name}.out"): b"" for name in ("a.csv", "b/a.csv")})
    aws.objects["artifacts", f"{one.prefix}manifest-00.json"] = b""
    found = batch_progress.outputs(aws, one, files)
    assert found == {name: f"{one.prefix}{folder}{name}.out" for name in ("a.csv", "b/a.csv")}


def test_what_a_job_read_is_what_its_first_attempt_did() -> None:
    first = job()
    aws = incoming(**{"a.csv": "a,1\n", "b.csv": "b,2\n", "new.csv": "b,2\n"})
    given = BatchInput((File("a.csv", 4), File("b.csv", 4)), batch_input.CSV, "data", "incoming/pen/")
    assert (
        batch_request.put_manifest(aws, first, given, given.files) == f"s3://artifacts/{first.prefix}manifest-00.json"
    )
    second = batch_job.next_attempt(PEN, "dev", first.name)
    batch_request.put_manifest(aws, second, given, given.files[1:])
    description = {"TransformInput": {"ContentType": "text/csv"}}
    found = batch_request.input_of(aws, batch_job.next_attempt(PEN, "dev", second.name), description)  # type: ignore[arg-type]
    assert ([file.name for file in found.files], found.prefix) == (["a.csv", "b.csv"], "incoming/pen/")
    del aws.objects["data", "incoming/pen/b.csv"]
    with pytest.raises(RunNotFound, match=r"b\.csv, which the job read"):
        batch_request.input_of(aws, second, description)  # type: ignore[arg-type]
