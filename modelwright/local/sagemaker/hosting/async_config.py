"""What an AsyncInferenceConfig says, and what cannot stand beside it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceConfig.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_CONCURRENCY = 4
"""of an instance: "If no value is provided, SageMaker chooses an optimal value", which is not said"""
_TOPICS = {"SUCCESS_NOTIFICATION_TOPIC": "SuccessTopic", "ERROR_NOTIFICATION_TOPIC": "ErrorTopic"}


@dataclass(frozen=True)
class Settings:
    """An AsyncInferenceConfig, read."""

    config: Mapping[str, Any]

    @property
    def concurrency(self) -> int:
        """How many requests an instance works on at once."""
        return int(self.config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY))

    @property
    def output(self) -> str:
        """Below what the answers are."""
        return str(self.config["OutputConfig"]["S3OutputPath"]).rstrip("/")

    @property
    def failure(self) -> str | None:
        """Below what the failures are, if anywhere."""
        found = self.config["OutputConfig"].get("S3FailurePath")
        return None if found is None else str(found).rstrip("/")

    @property
    def key(self) -> str | None:
        """The key that encrypts both; None is the bucket's own."""
        found: str | None = self.config["OutputConfig"].get("KmsKeyId")
        return found

    def topic(self, *, success: bool) -> str | None:
        """The topic that is told of a request's end, if any."""
        found: str | None = self._notification.get("SuccessTopic" if success else "ErrorTopic")
        return found

    def includes_answer(self, *, success: bool) -> bool:
        """Whether the topic gets the model's answer as well."""
        wanted = self._notification.get("IncludeInferenceResponseIn", ())
        return ("SUCCESS_NOTIFICATION_TOPIC" if success else "ERROR_NOTIFICATION_TOPIC") in wanted

    @property
    def _notification(self) -> Mapping[str, Any]:
        found = self.config["OutputConfig"].get("NotificationConfig", {})
        return found if isinstance(found, Mapping) else {}


def async_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a configuration's AsyncInferenceConfig; nothing without one."""
    given = config.get("AsyncInferenceConfig")
    if given is None:
        return
    if not given["OutputConfig"].get("S3OutputPath"):
        yield "AsyncInferenceConfig.OutputConfig needs an S3OutputPath: that is where answers go."
    for name in ("S3OutputPath", "S3FailurePath"):
        uri = given["OutputConfig"].get(name, "s3://")
        if not uri.startswith("s3://"):
            yield f"AsyncInferenceConfig.OutputConfig.{name} is {uri!r}; the local cloud takes s3://bucket/prefix."
    if config.get("ShadowProductionVariants"):
        yield "An asynchronous endpoint has no shadow variants (ShadowProductionVariants)."
    notification = given["OutputConfig"].get("NotificationConfig", {})
    for which in notification.get("IncludeInferenceResponseIn", ()):
        if _TOPICS[which] not in notification:
            yield f"IncludeInferenceResponseIn names {which}, and there is no {_TOPICS[which]}."
