"""How far a batch transform job is: its status, and the outputs that are there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.batch.job import ENDED, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.client.batch.heads import File
    from modelwright.client.batch.input import BatchInput
    from modelwright.client.batch.job import Job
    from modelwright.client.session import Session

Pause = Callable[[float], None]
_SLOW_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    status: str
    seconds: float
    files_done: int
    files: int
    bytes_done: int
    bytes: int
    rows_done: int | None
    rows_counted: bool

    @property
    def rows_per_second(self) -> float | None:
        """The rate so far; None before the first file is done, or when nobody knows the rows."""
        return self.rows_done / self.seconds if self.rows_done and self.seconds > 0 else None


def follow(
    session: Session, job: Job, given: BatchInput, files: Sequence[File], pause: Pause = time.sleep
) -> Iterator[tuple[Progress, dict[str, Any]]]:
    """Yield how far the job is and its description, until it has ended."""
    s3, began = session.client("s3"), time.monotonic()
    seconds = min(_SLOW_POLL_SECONDS, 5 * session.poll_seconds)
    while True:
        description = describe(session, job.name)
        done = outputs(s3, job, given.files)
        status = description["TransformJobStatus"]
        yield _progress(status, _elapsed(description, began), files, set(done)), description
        if status in ENDED:
            return
        pause(seconds)


def outputs(s3: Any, job: Job, files: Sequence[File]) -> dict[str, str]:
    """Return the keys of the outputs that are there, by the names of their inputs.

    Where AWS writes the output of a manifest's object is said by no page: below the output path, under the object's
    name in the manifest or one that ends so, with `.out` behind it.
    """
    found: dict[str, str] = {}
    names = {file.name for file in files}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=job.bucket, Prefix=job.prefix):
        for entry in page.get("Contents", []):
            if entry["Key"].endswith(".out"):
                name = _input_of(entry["Key"].removeprefix(job.prefix).removesuffix(".out"), names)
                if name is not None:
                    found[name] = entry["Key"]
    return found


def _input_of(path: str, names: set[str]) -> str | None:
    if path in names:
        return path
    alike = [name for name in names if path.endswith(f"/{name}") or name.endswith(f"/{path}")]
    return max(alike, key=len) if alike else None


def _elapsed(description: dict[str, Any], began: float) -> float:
    """The time that the model worked, where SageMaker says it; else that since it was asked for."""
    start_, end = description.get("TransformStartTime"), description.get("TransformEndTime")
    if start_ and end:
        return max(0.001, float((end - start_).total_seconds()))
    return time.monotonic() - began


def _progress(status: str, seconds: float, files: Sequence[File], done: set[str]) -> Progress:
    finished = [file for file in files if file.name in done]
    counts = [file.rows if file.rows is not None else file.about_rows for file in finished]
    return Progress(
        status,
        seconds,
        len(finished),
        len(files),
        sum(file.size - file.skip for file in finished),
        sum(file.size - file.skip for file in files),
        None if None in counts else sum(count or 0 for count in counts),
        all(file.rows is not None for file in finished),
    )
