"""Being a producer of data: put files where a pipeline watches, and see what they start."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from modelwright.client.releases.dataset import MAX_FILE_BYTES
from modelwright.client.runs.executions import describe, executions
from modelwright.errors import DataNotFound, EventRefused, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session
    from modelwright.config.pipeline import PipelineSettings

PATIENCE_SECONDS = 120.0
_THREADS = 8
_NEWEST = 100


@dataclass(frozen=True)
class Delivery:
    """What is put where: a folder of its own under the prefix that the pipeline watches."""

    bucket: str
    watched: str
    """The prefix, with a slash at its end."""
    name: str
    files: tuple[tuple[str, Path], ...]
    """Names below the folder, and what is to be there."""
    marker: str | None
    """The object that is put there last; None: records are counted."""

    @property
    def prefix(self) -> str:
        """What the keys begin with."""
        return f"{self.watched}{self.name}/"

    @property
    def uri(self) -> str:
        """Where it will lie."""
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True)
class Counted:
    """How the counting stands after a delivery."""

    records: int
    """Those of the delivery."""
    waiting: int
    """All that wait for a run."""
    problems: tuple[str, ...]
    """Of objects that could not be counted."""
    execution: str | None
    """The execution that they started, if they did."""


def collect(settings: PipelineSettings, sources: Sequence[Path]) -> tuple[tuple[str, Path], ...]:
    """Return the names and paths of the files to deliver; without `sources`, of the pipeline's own data.

    Raises:
        WrongUsage: no trigger of the pipeline is about data, or two files would have the same name.
        DataNotFound: there is nothing, or a file is too large for one request.
    """
    triggers = settings.triggers
    if not triggers.data_marker and not triggers.data_every_records:
        hint = "triggers.data in its pipeline.yaml: {marker: _SUCCESS} or {every_records: 1000}."
        raise WrongUsage(f"No data start {settings.name}.", hint)
    found = sources or _own_data(settings)
    files = [pair for source in found for pair in _files(source) if _is_data(pair[0], triggers.data_marker)]
    names = [pair[0] for pair in files]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise WrongUsage(f"Two of the files would be {twice[0]}.", "Give the folder that they are in.")
    if not files:
        raise DataNotFound(f"There is no data file in {', '.join(map(str, found))}.")
    return tuple(sorted(files))


def make_delivery(
    settings: PipelineSettings, deployment: Deployment, files: tuple[tuple[str, Path], ...], name: str
) -> Delivery:
    """Return what is put where: the files, in a folder `name` under what the pipeline watches."""
    bucket, prefix = deployment.data_bucket, f"incoming/{settings.name}/"
    if settings.data.in_s3:
        bucket, _, prefix = settings.data.source.removeprefix("s3://").partition("/")
    return Delivery(bucket, prefix, name, files, settings.triggers.data_marker)


def _is_data(name: str, marker: str | None) -> bool:
    """Not the marker, which comes last; nor what is not counted."""
    return name != marker if marker else not any(part.startswith("_") for part in name.split("/"))


def _own_data(settings: PipelineSettings) -> list[Path]:
    if settings.data.in_s3:
        raise WrongUsage(
            f"Which data are to be put under {settings.data.source}?", "Name files or a folder after the pipeline."
        )
    return [settings.folder / settings.data.source]


def _files(source: Path) -> list[tuple[str, Path]]:
    """Names and files of a folder, hidden ones left out; or of one file."""
    if source.is_dir():
        paths = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
        found = [(name, path) for name, path in paths.items() if not any(p.startswith(".") for p in name.split("/"))]
    elif source.is_file():
        found = [(source.name, source)]
    else:
        raise DataNotFound(f"There is no data at {source}.")
    for _, path in found:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataNotFound(f"{path} has {path.stat().st_size / 1e9:.1f} GB; one upload takes at most 5 GB.")
    return found


def deliver(session: Session, delivery: Delivery) -> list[tuple[str, str | None]]:
    """Put it all there, the marker when everything else is; the keys and their versions, the marker's last."""
    client = session.client("s3")

    def put(pair: tuple[str, Path]) -> tuple[str, str | None]:
        key = delivery.prefix + pair[0]
        with pair[1].open("rb") as stream:
            return key, client.put_object(Bucket=delivery.bucket, Key=key, Body=stream).get("VersionId")

    if len(delivery.files) > 1:
        with ThreadPoolExecutor(_THREADS) as threads:
            found = list(threads.map(put, delivery.files))
    else:
        found = [put(pair) for pair in delivery.files]
    if delivery.marker:
        key = delivery.prefix + delivery.marker
        found.append((key, client.put_object(Bucket=delivery.bucket, Key=key, Body=b"").get("VersionId")))
    return found


def started_by_marker(
    session: Session, deployment: Deployment, bucket: str, key: str, pause: Callable[[float], None] = time.sleep
) -> str:
    """Wait for the execution that a marker starts, whose input names it; its ARN.

    Raises:
        EventRefused: none appeared in time.
    """
    seen: set[str] = set()
    for _ in range(round(PATIENCE_SECONDS / session.poll_seconds)):
        for entry in islice(executions(session, deployment), _NEWEST):
            arn = str(entry["executionArn"])
            if arn not in seen and _names(describe(session, deployment.pipeline, arn).request, bucket, key):
                return arn
            seen.add(arn)
        pause(session.poll_seconds)
    raise EventRefused(
        f"s3://{bucket}/{key} started no execution within {PATIENCE_SECONDS:.0f} s.", _hint(session, bucket)
    )


def _names(request: Any, bucket: str, key: str) -> bool:
    trigger = request.get("trigger")
    if not isinstance(trigger, dict) or not isinstance(trigger.get("object"), dict):
        return False
    return bool(trigger["object"].get("key") == key and trigger.get("bucket", {}).get("name") == bucket)


def last_started(session: Session, deployment: Deployment) -> str | None:
    """The execution that enough records started last, if any."""
    found = _item(session, deployment, "WAITING").get("execution")
    return str(found["S"]) if found else None


def counted(  # noqa: PLR0913 # where, what, since when, and how to wait
    session: Session,
    deployment: Deployment,
    bucket: str,
    objects: Sequence[tuple[str, str | None]],
    *,
    every: int,
    before: str | None,
    pause: Callable[[float], None] = time.sleep,
) -> Counted:
    """Wait until each of the objects is counted, and a run started if `every` records wait; say what came of it.

    `before` is `last_started` before them.

    Raises:
        EventRefused: nothing went on for two minutes.
    """
    left = list(dict.fromkeys((f"OBJECT#{_identity(bucket, key, each)}", key) for key, each in objects if each))
    items: list[dict[str, Any]] = []
    looks = most = round(PATIENCE_SECONDS / session.poll_seconds)
    while looks:
        new = _counted_first(session, deployment, [name for name, _ in left])
        items += new
        left = left[len(new) :]
        looks = most if new else looks - 1
        waiting = _item(session, deployment, "WAITING")
        if not left and "pending" not in waiting and _number(waiting) < every:
            return _counted(items, waiting, before)
        pause(session.poll_seconds)
    raise _not_counted(session, bucket, left)


def _counted_first(session: Session, deployment: Deployment, names: Sequence[str]) -> list[dict[str, Any]]:
    """The items of the first of `names`, up to one that is not there: those behind it will not be either, mostly."""
    return list(takewhile(bool, (_item(session, deployment, name) for name in names)))


def _counted(items: Sequence[dict[str, Any]], waiting: dict[str, Any], before: str | None) -> Counted:
    problems = tuple(f"{item['uri']['S']}: {item['problem']['S']}" for item in items if "problem" in item)
    execution = waiting.get("execution", {}).get("S")
    return Counted(
        sum(int(item["records"]["N"]) for item in items),
        _number(waiting),
        problems,
        execution if execution != before else None,
    )


def _number(waiting: dict[str, Any]) -> int:
    return int(waiting.get("records", {"N": "0"})["N"])


def _identity(bucket: str, key: str, version: str) -> str:
    """As the Lambda `count_records` names one writing of an object."""
    return hashlib.sha256(f"s3://{bucket}/{key}#{version}".encode()).hexdigest()


def _item(session: Session, deployment: Deployment, name: str) -> dict[str, Any]:
    key = {"pk": {"S": f"RECORDS#{deployment.pipeline}"}, "sk": {"S": name}}
    answer = session.client("dynamodb").get_item(TableName=deployment.table, Key=key, ConsistentRead=True)
    found: dict[str, Any] = answer.get("Item", {})
    return found


def _not_counted(session: Session, bucket: str, left: Sequence[tuple[str, str]]) -> EventRefused:
    which = f"s3://{bucket}/{left[0][1]}" if left else "The start of a run"
    return EventRefused(f"{which} was not taken up within {PATIENCE_SECONDS:.0f} s.", _hint(session, bucket))


def _hint(session: Session, bucket: str) -> str:
    if session.is_local:
        return "`modelwright inbox` shows dead letters."
    return f"Does {bucket} tell EventBridge of new objects, and is the event in the dead-letter queue?"
