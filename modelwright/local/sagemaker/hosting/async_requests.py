"""Requests that wait for an asynchronous endpoint: in the database before anybody hears that they were taken."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.async_config import Settings
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

TTL_SECONDS = 21_600
TIMEOUT_SECONDS = 900
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html"""
_KIND = "async-request"
_PASSED_ON = ("ContentType", "Accept", "CustomAttributes", "InferenceId")
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Request:
    """One request, from its InvokeEndpointAsync to its end."""

    key: str
    endpoint: str
    params: dict[str, Any]
    """what the container gets of the call: ContentType, Accept, CustomAttributes, InferenceId"""
    input: str
    output: str
    failure: str | None
    config: dict[str, Any]
    """the AsyncInferenceConfig under which it was taken"""
    received_at: float
    ttl_seconds: int
    timeout_seconds: int
    attempts: int = 0

    @property
    def settings(self) -> Settings:
        """Where its answer goes, and who is told."""
        return Settings(self.config)

    @property
    def inference_id(self) -> str:
        """What names it for its caller."""
        return str(self.params["InferenceId"])

    def is_expired(self, now: float) -> bool:
        """Whether it has waited for longer than it may."""
        return now - self.received_at > self.ttl_seconds


class Requests:
    """The requests in the database."""

    def __init__(self, cloud: Cloud) -> None:
        """Keep them there."""
        self._cloud = cloud

    def all(self) -> list[Request]:
        """Return those that have not ended, the oldest first."""
        return [Request(**body) for _, body in self._cloud.database.all(_KIND)]

    def take(self, endpoint: str, config: Mapping[str, Any], params: Mapping[str, Any]) -> Request:
        """Keep a new request. Answers are named as SageMaker names them: `<id>.out` and `<id>-error.out`."""
        settings, now = Settings(config), self._cloud.clock.time()
        where = "".join(f"/{part.strip('/')}" for part in (params.get("S3OutputPathExtension"),) if part)
        name = params.get("Filename") or f"{uuid.uuid4()}.out"
        stem, dot, ending = name.partition(".")
        failure = None if settings.failure is None else f"{settings.failure}{where}/{stem}-error{dot}{ending}"
        passed = {member: params[member] for member in _PASSED_ON if params.get(member)}
        request = Request(
            key=f"{now:017.6f}-{next(_NUMBERS):09d}",
            endpoint=endpoint,
            params={"InferenceId": str(uuid.uuid4()), **passed},
            input=params["InputLocation"],
            output=f"{settings.output}{where}/{name}",
            failure=failure,
            config=dict(config),
            received_at=now,
            ttl_seconds=params.get("RequestTTLSeconds", TTL_SECONDS),
            timeout_seconds=params.get("InvocationTimeoutSeconds", TIMEOUT_SECONDS),
        )
        self._cloud.database.put(_KIND, request.key, asdict(request))
        return request

    def again(self, request: Request) -> Request:
        """Keep that a request was begun once more."""
        changed = replace(request, attempts=request.attempts + 1)
        self._cloud.database.put(_KIND, request.key, asdict(changed))
        return changed

    def drop(self, request: Request) -> None:
        """A request has ended."""
        self._cloud.database.delete(_KIND, request.key)


def check_input(location: str) -> None:
    """Raise AwsError for an InputLocation that is no object."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not bucket or not key:
        raise AwsError("ValidationError", f"InputLocation is {location!r}; it must be s3://bucket/key.")
