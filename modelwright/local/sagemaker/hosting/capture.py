"""Data capture: requests and answers as JSON lines in S3, written beside the answers with the model's own role.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import logging
import shutil
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.jobs.outputs import Outputs
from modelwright.local.sagemaker.jobs.problems import ClientProblem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.hosting.fleet import Member
    from modelwright.local.sagemaker.hosting.invocation import Asked, Outcome

FOLDER = "captured"
FLUSH_SECONDS = 5.0
"""so long a line waits at most; on AWS it is a couple of minutes"""
FLUSH_BYTES = 1 << 20
MOST_BYTES = 64 << 20
"""what waits to be written at most: then requests are answered and not captured, as on AWS when the disk fills"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Place:
    """What one file is of: the lines of one hour, under one prefix, with one role and key."""

    prefix: str
    endpoint: str
    variant: str
    role: str
    key: str | None


@dataclass(frozen=True)
class _Event:
    """A request that was answered: its line is made when it is written, not while the caller waits."""

    config: Mapping[str, Any]
    asked: Asked
    outcome: Outcome

    @property
    def size(self) -> int:
        """About how much memory it holds."""
        return len(self.asked.body) + len(self.outcome.reply.body if self.outcome.reply else b"")

    def line(self) -> str:
        """Return its line, as SageMaker documents it."""
        return f"{json.dumps(_record(self.config, self.asked, self.outcome), separators=(',', ':'))}\n"


@dataclass
class _File:
    began: datetime
    due: float
    events: list[_Event] = field(default_factory=list)
    size: int = 0


class Capture:
    """Collects lines in memory, and makes objects of them when they are old or many enough."""

    def __init__(self, cloud: Cloud) -> None:
        """Nothing is captured before `start`."""
        self._cloud = cloud
        self._files: dict[_Place, _File] = {}
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._size = 0
        self._taken = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="endpoint-capture", daemon=True)

    def start(self) -> None:
        """Begin to write; what a cloud that was killed had not written is half a file at best."""
        shutil.rmtree(self._cloud.directory / FOLDER, ignore_errors=True)
        self._thread.start()

    def stop(self) -> None:
        """Write everything that was captured."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Return when everything that was captured is written."""
        with self._changed:
            taken, self._files = self._files, {}
            self._taken += len(taken)
        self._write(taken)
        with self._changed:
            self._changed.wait_for(lambda: not self._taken)  # the other thread's as well

    def offer(self, member: Member, asked: Asked, outcome: Outcome) -> None:
        """Capture a request that was answered well, if its variant's configuration and the request's draw say so."""
        config = member.plan.get("Capture")
        if not config or not config.get("EnableCapture", True) or not outcome.good:
            return
        if asked.draw * 100 >= config["InitialSamplingPercentage"]:
            return
        hour = asked.at.strftime("%Y/%m/%d/%H")
        prefix = f"{config['DestinationS3Uri'].rstrip('/')}/{asked.endpoint}/{member.variant}/{hour}"
        place = _Place(prefix, asked.endpoint, member.variant, member.plan["RoleArn"], config.get("KmsKeyId"))
        self._keep(place, _Event(config, asked, outcome))

    def _keep(self, place: _Place, event: _Event) -> None:
        with self._changed:
            if self._size + event.size > MOST_BYTES:
                _log.warning("a request is not captured: too much waits to be written to %s", place.prefix)
                return
            file = self._files.get(place)
            if file is None:
                file = self._files[place] = _File(event.asked.at, self._cloud.clock.time() + FLUSH_SECONDS)
            file.events.append(event)
            file.size += event.size
            self._size += event.size
            if len(file.events) == 1 or file.size >= FLUSH_BYTES:
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                taken = self._due()
                if not taken:
                    if self._stopping:
                        return
                    now = self._cloud.clock.time()
                    self._changed.wait(max(0.0, min((f.due for f in self._files.values()), default=now + 60) - now))
                    continue
            self._write(taken)

    def _due(self) -> dict[_Place, _File]:
        now = self._cloud.clock.time()
        due = {p: f for p, f in self._files.items() if f.due <= now or f.size >= FLUSH_BYTES or self._stopping}
        for place in due:
            del self._files[place]
        self._taken += len(due)
        return due

    def _write(self, files: Mapping[_Place, _File]) -> None:
        with self._writing:
            for place, file in files.items():
                try:
                    self._write_one(place, file)
                except ClientProblem as error:
                    self._say(place, f"{len(file.events)} captured requests are lost: {error}")
                except Exception:  # noqa: BLE001  # one file that is lost must not end the capture
                    _log.exception("captured requests are lost prefix=%s", place.prefix)
                finally:
                    with self._changed:
                        self._size -= file.size
                        self._taken -= 1
                        self._changed.notify_all()

    def _say(self, place: _Place, line: str) -> None:
        group, stream = f"/aws/sagemaker/Endpoints/{place.endpoint}", f"{place.variant}/data-capture"
        self._cloud.log(group, stream, [(self._cloud.clock.time(), line)])

    def _write_one(self, place: _Place, file: _File) -> None:
        name = f"{file.began:%M-%S}-{file.began.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        folder = self._cloud.directory / FOLDER
        folder.mkdir(exist_ok=True)
        path = folder / name
        with path.open("w", encoding="utf-8", newline="\n") as lines:
            lines.writelines(event.line() for event in file.events)
        try:
            Outputs(self._cloud, place.role, place.key).file(path, f"{place.prefix}/{name}")
        finally:
            path.unlink(missing_ok=True)


def _record(config: Mapping[str, Any], asked: Asked, outcome: Outcome) -> dict[str, Any]:
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    data: dict[str, Any] = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _payload(config, "INPUT", asked.params.get("ContentType", ""), asked.body)
    if modes & {"Output", "InputAndOutput"} and outcome.reply is not None:
        found = outcome.reply
        data["endpointOutput"] = _payload(config, "OUTPUT", found.headers.get("content-type", ""), found.body)
    metadata: dict[str, Any] = {"eventId": asked.event_id}
    if asked.params.get("CustomAttributes"):
        metadata["customAttributes"] = [asked.params["CustomAttributes"]]
    if asked.params.get("InferenceId"):
        metadata["inferenceId"] = asked.params["InferenceId"]
    metadata["inferenceTime"] = asked.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def _payload(config: Mapping[str, Any], mode: str, content_type: str, body: bytes) -> dict[str, str]:
    """`CaptureContentTypeHeader` says what is kept as text; a type's parameters do not matter (AWS's own sample)."""
    encoding, data = _encoding(config.get("CaptureContentTypeHeader", {}), content_type), ""
    try:
        data = body.decode() if encoding != "BASE64" else ""
    except UnicodeDecodeError:
        encoding = "BASE64"
    if encoding == "BASE64":
        data = base64.b64encode(body).decode("ascii")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _encoding(kept: Mapping[str, Any], content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    for member, encoding in (("CsvContentTypes", "CSV"), ("JsonContentTypes", "JSON")):
        if kind in {each.lower() for each in kept.get(member, ())}:
            return encoding
    return "BASE64"
