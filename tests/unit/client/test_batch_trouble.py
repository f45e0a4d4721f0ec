"""What is said of a batch transform job that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_batch import COLUMNS, Aws, incoming, read

from modelwright.client.batch import input as batch_input
from modelwright.client.batch import trouble as batch_trouble
from modelwright.client.batch.heads import File
from modelwright.client.batch.input import BatchInput

if TYPE_CHECKING:
    from pathlib import Path


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
