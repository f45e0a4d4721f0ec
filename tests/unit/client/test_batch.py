"""What `modelwright batch` reads, asks for, finds again, and says of a failure; with S3 as a dictionary."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

from modelwright.cli.model_schema import read_columns
from modelwright.client import batch_input, batch_job, batch_trouble
from modelwright.client.batch_columns import choose, moved
from modelwright.client.batch_heads import File
from modelwright.client.batch_input import BatchInput, read_input, upload
from modelwright.client.deployment import Deployment
from modelwright.config.pipeline import BatchSettings
from modelwright.errors import DataNotFound, InvalidInput, RunNotFound, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEN = Deployment(
    "pen", "mw-dev-pen", "machine", "endpoint", "group", "data", "artifacts", "table", "bus", "topic", "log", "digest"
)
SCHEMA = {
    "version": 1,
    "columns": [
        {"name": "kind", "type": "string", "missing": False, "categories": ["a", "b"], "unknown": False},
        {"name": "size", "type": "number", "missing": True},
    ],
    "outputs": {"form": "labels", "labels": ["x", "y"]},
}
COLUMNS = read_columns(json.dumps(SCHEMA))


@dataclass
class Aws:
    """S3 and CloudWatch Logs, and the session that makes their clients."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    is_local: bool = True
    poll_seconds: float = 0.0

    class exceptions:  # noqa: N801 - as botocore's clients have it
        ClientError = ClientError
        ResourceNotFoundException = type("ResourceNotFoundException", (ClientError,), {})

    def client(self, _: str) -> Aws:
        return self

    def put_object(self, **request: Any) -> None:
        body = request["Body"]
        self.objects[request["Bucket"], request["Key"]] = body if isinstance(body, bytes) else body.read()

    def get_object(self, **request: Any) -> dict[str, Any]:
        body = self.objects[request["Bucket"], request["Key"]]
        if "Range" in request:
            body = body[: int(request["Range"].rpartition("-")[2]) + 1]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def get_paginator(self, operation: str) -> Pages:
        return Pages(self, operation)


@dataclass
class Pages:
    aws: Aws
    operation: str

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        if self.operation == "filter_log_events":
            yield {"events": [{"message": line} for line in self.aws.log]}
            return
        keys = [key for bucket, key in sorted(self.aws.objects) if bucket == request["Bucket"]]
        found = [key for key in keys if key.startswith(request["Prefix"])]
        yield {"Contents": [{"Key": key, "Size": len(self.aws.objects[request["Bucket"], key])} for key in found[:1]]}
        yield {"Contents": [{"Key": key, "Size": len(self.aws.objects[request["Bucket"], key])} for key in found[1:]]}


def incoming(**files: str) -> Aws:
    return Aws({("data", f"incoming/pen/{name}"): text.encode() for name, text in files.items()})


def read(aws: Aws, given: str) -> BatchInput:
    return read_input(aws, PEN, given, COLUMNS)  # type: ignore[arg-type] # a fake


def test_a_folder_in_s3_is_all_that_is_below_it() -> None:
    aws = incoming(
        **{"day/a.csv": "a,1\n", "day/b/c.csv": "b,2\n", "day/_SUCCESS": "", "day-2/d.csv": "a,1\n", "day/": ""}
    )
    for uri in ("s3://data/incoming/pen/day/", "s3://data/incoming/pen/day"):
        found = read(aws, uri)
        assert ([file.name for file in found.files], found.prefix) == (["a.csv", "b/c.csv"], "incoming/pen/day/")


def test_an_object_is_not_what_begins_like_it() -> None:
    found = read(incoming(**{"a.csv": "a,1\n", "a.csv.bak": "x"}), "s3://data/incoming/pen/a.csv")
    assert [file.name for file in found.files] == ["a.csv"]


@pytest.mark.parametrize(
    "uri", ["s3://other/x/", "s3://data/incoming/pen-guins/x", "s3://artifacts/runs/pen/", "s3://data"]
)
def test_other_places_are_refused(uri: str) -> None:
    with pytest.raises(WrongUsage, match="aws s3 cp"):
        read(Aws(), uri)


def test_nothing_there_is_said() -> None:
    with pytest.raises(DataNotFound, match="no object"):
        read(incoming(**{"day-2/a.csv": "a,1\n"}), "s3://data/incoming/pen/day")


def test_all_that_is_wrong_is_told_at_once() -> None:
    files = {"d/empty.csv": "", "d/wide.csv": "a,1,2\n", "d/head.csv": "kind,size\na,1\n", "d/zero.csv": "\0\n"}
    with pytest.raises(InvalidInput) as raised:
        read(incoming(**files), "s3://data/incoming/pen/d/")
    said = str(raised.value)
    assert "empty.csv is empty." in said
    assert "wide.csv: line 1 has 3 values; it must have 2: kind, size." in said
    assert "head.csv has a header line: kind, size." in said
    assert "zero.csv is no text" in said
    assert "Name the file on this machine instead" in said


def test_a_header_here_is_left_out_and_says_the_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,id,kind\n1,x,a\n2,y,b\n")
    aws = Aws()
    found = read(aws, str(tmp_path))
    assert (found.input_filter, found.order, found.rows()) == ("$[:2]", (2, 0, 1), (2, True))
    assert upload(aws, found) == 1
    assert list(aws.objects.values()) == [b"a,1,x\nb,2,y\n"]
    assert upload(aws, read(aws, str(tmp_path))) == 0, "the same content is uploaded once"
    (tmp_path / "a.csv").write_text("size,id,kind\n1,x,b\n")
    assert upload(aws, read(aws, str(tmp_path))) == 1


def test_headers_must_be_of_one_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,kind\n1,a\n")
    (tmp_path / "b.csv").write_text("kind,size\na,1\n")
    (tmp_path / "c.csv").write_text("a,1\n")
    (tmp_path / "d.csv").write_text("size,kind,size\n1,a,2\n")
    with pytest.raises(InvalidInput) as raised:
        read(Aws(), str(tmp_path))
    assert "b.csv has another header line than a.csv." in str(raised.value)
    assert "c.csv has no header line, others have one." in str(raised.value)
    assert "d.csv: the header has size more than once." in str(raised.value)


def test_without_a_schema_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,kind\n1,a\n")
    with pytest.raises(InvalidInput, match="no schema"):
        read_input(Aws(), PEN, str(tmp_path), None)  # type: ignore[arg-type] # a fake
    (tmp_path / "a.csv").write_text("a,b\nc,d\n")
    assert read_input(Aws(), PEN, str(tmp_path), None).input_filter == "$"  # type: ignore[arg-type] # a fake


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("kind,size", ("$", None)),
        ("id,kind,size", ("$[1,2]", None)),
        ("kind,id,size", ("$[0,2]", None)),
        ("size,kind", ("$", (1, 0))),
        ("size,id,kind", ("$[:2]", (2, 0, 1))),
        (",".join([f"c{number}" for number in range(9)] + ["kind", "size"]), ("$[9,10]", None)),
    ],
)
def test_a_filter_never_says_an_order(header: str, wanted: tuple[str, tuple[int, ...] | None]) -> None:
    """No page says whether `$[2,0]` keeps that order: columns in another one are moved before."""
    assert choose(header.split(","), COLUMNS.names) == wanted


def test_a_filter_that_would_be_longer_than_aws_takes_is_not_needed() -> None:
    columns = [f"c{number}" for number in range(40)]
    assert choose(["id", *columns], columns) == ("$[:40]", (*range(1, 41), 0))


def test_quoted_values_stay_what_they_are() -> None:
    assert b"".join(moved(io.BytesIO(b'1,"x, ""y""",a\r\nshort\n'), (2, 0, 1))) == b'a,1,"x, ""y"""\nshort\n'


def job() -> batch_job.Job:
    return batch_job.new_job(PEN, "dev")


@pytest.mark.parametrize("media", [batch_input.CSV, batch_input.JSON_LINES])
@pytest.mark.parametrize("key", [None, "arn:aws:kms:eu-central-1:123456789012:key/1"])
def test_the_request_is_one_that_aws_takes(media: str, key: str | None) -> None:
    given = BatchInput((File("a", 1),), media, "data", "incoming/pen/")
    settings = BatchSettings("ml.m5.4xlarge", 2, 3600)
    made = batch_job.request(job(), given, "model", settings, batch_job.Wish(key_arn=key))
    made = batch_job.reading(made, "s3://artifacts/manifest.json")
    model = botocore.session.get_session().get_service_model("sagemaker")
    report = ParamValidator().validate(made, model.operation_model("CreateTransformJob").input_shape)
    assert not report.has_errors(), report.generate_report()
    assert made["MaxConcurrentTransforms"] * made["MaxPayloadInMB"] <= batch_job.MOST_MB
    assert made["TransformInput"]["SplitType"] == made["TransformOutput"]["AssembleWith"]
    assert made["TransformInput"]["ContentType"] == made["TransformOutput"]["Accept"]
    assert len(made["TransformJobName"]) <= 63
    assert ("VolumeKmsKeyId" in made["TransformResources"]) is (key is not None)


def test_disks_that_hardware_encrypts_get_no_key() -> None:
    given = BatchInput((), batch_input.CSV, "data", "")
    made = batch_job.request(job(), given, "m", BatchSettings("ml.g5.xlarge", 1, 60), batch_job.Wish(key_arn="arn:k"))
    assert "VolumeKmsKeyId" not in made["TransformResources"]
    assert made["TransformOutput"]["KmsKeyId"] == "arn:k"


@pytest.mark.parametrize(
    ("instance", "count"),
    [("ml.m5.large", 2), ("ml.m5.xlarge", 4), ("ml.m5.2xlarge", 8), ("ml.m5.24xlarge", 96), ("ml.t2.medium", 2)],
)
def test_processors_of_an_instance(instance: str, count: int) -> None:
    assert batch_job.processors(instance) == count


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
    found = batch_job.outputs(aws, one, files)
    assert found == {name: f"{one.prefix}{folder}{name}.out" for name in ("a.csv", "b/a.csv")}


def test_what_a_job_read_is_what_its_first_attempt_did() -> None:
    first = job()
    aws = incoming(**{"a.csv": "a,1\n", "b.csv": "b,2\n", "new.csv": "b,2\n"})
    given = BatchInput((File("a.csv", 4), File("b.csv", 4)), batch_input.CSV, "data", "incoming/pen/")
    assert batch_job.put_manifest(aws, first, given, given.files) == f"s3://artifacts/{first.prefix}manifest-00.json"
    second = batch_job.next_attempt(PEN, "dev", first.name)
    batch_job.put_manifest(aws, second, given, given.files[1:])
    description = {"TransformInput": {"ContentType": "text/csv"}}
    found = batch_job.input_of(aws, batch_job.next_attempt(PEN, "dev", second.name), description)  # type: ignore[arg-type]
    assert ([file.name for file in found.files], found.prefix) == (["a.csv", "b.csv"], "incoming/pen/")
    del aws.objects["data", "incoming/pen/b.csv"]
    with pytest.raises(RunNotFound, match=r"b\.csv, which the job read"):
        batch_job.input_of(aws, second, description)  # type: ignore[arg-type]


def test_a_failure_names_file_and_line() -> None:
    aws = incoming(**{"a.csv": "a,1\nc,1\na,x\n\na\n", "b.csv": "a,1\n"})
    aws.log = [
        "2019-10-08T14:43:45.016:[sagemaker logs]: data/incoming/pen/a.csv: ClientError: 400",
        '2019-10-08T14:43:45.016:[sagemaker logs]: data/incoming/pen/b.csv: {"error": "X", "message": "no"}',
        "2019-10-08T14:43:15.635:[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=40",
    ]
    given = BatchInput((File("a.csv", 16), File("b.csv", 4)), batch_input.CSV, "data", "incoming/pen/")
    said = batch_trouble.explain(aws, "job", given, given.files, COLUMNS)  # type: ignore[arg-type] # a fake
    assert said == [
        "a.csv: line 2: kind is \"c\"; it must be 'a' or 'b'",
        'a.csv: line 3: size is "x"; it must be a number or missing',
        "a.csv: line 4: it has 0 values; it must have 2: kind, size",
        "a.csv: line 5: it has 1 values; it must have 2: kind, size",
        "b.csv: no",
    ]


def test_a_log_that_comes_late_is_not_waited_for() -> None:
    aws = incoming(**{"a.csv": "c,1\n", "b.csv": "a,1\n"})
    given = BatchInput((File("a.csv", 4), File("b.csv", 4)), batch_input.CSV, "data", "incoming/pen/")
    said = batch_trouble.explain(aws, "job", given, given.files, COLUMNS)  # type: ignore[arg-type] # a fake
    assert said == [
        "a.csv: line 1: kind is \"c\"; it must be 'a' or 'b'",
        "b.csv: the job's log says nothing of it yet",
    ]


def test_lines_are_counted_with_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,id,kind\n1,x,a\n2,y,z\n")
    given = read(Aws(), str(tmp_path))
    aws = Aws(log=[f"[sagemaker logs]: artifacts/{given.prefix}a.csv: ClientError: 400"])
    said = batch_trouble.explain(aws, "job", given, given.files, COLUMNS)  # type: ignore[arg-type] # a fake
    assert said == ["a.csv: line 3: kind is \"z\"; it must be 'a' or 'b'"]
