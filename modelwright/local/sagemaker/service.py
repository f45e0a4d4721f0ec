"""The service `sagemaker`: each operation goes, checked against botocore's model, to the handler that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from modelwright.local.sagemaker.endpoints.configs import EndpointConfigs
from modelwright.local.sagemaker.endpoints.service import Endpoints
from modelwright.local.sagemaker.jobs.service import Jobs
from modelwright.local.sagemaker.registry.models import Models
from modelwright.local.sagemaker.registry.packages import Packages
from modelwright.local.sagemaker.tags import Tags
from modelwright.local.sagemaker.validation import validate

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call


class Handler(Protocol):
    """One part of SageMaker."""

    operations: frozenset[str]

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call of its operations."""

    def start(self) -> None:
        """Take up what the database holds."""

    def stop(self) -> None:
        """End what runs."""


class SageMaker:
    """Jobs, models, the registry, endpoints and tags."""

    name = "sagemaker"
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        """Make the handlers; nothing runs before `start`."""
        packages = Packages(cloud)
        models = Models(cloud, packages)
        self.jobs = Jobs(cloud, models)
        configs = EndpointConfigs(cloud, models)
        self.endpoints = Endpoints(cloud, models, configs)
        self._handlers: list[Handler] = [self.jobs, packages, models, configs, self.endpoints, Tags(cloud)]
        self._by_operation = {name: handler for handler in self._handlers for name in handler.operations}
        self.operations = frozenset(self._by_operation)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call; AwsError ValidationException that names everything in it that AWS would not take."""
        validate(self.name, call.operation, call.params)
        return self._by_operation[call.operation].handle(call)

    def start(self) -> None:
        """Take up what the database holds."""
        for handler in self._handlers:
            handler.start()

    def stop(self) -> None:
        """End what runs, the endpoints' servers first: they depend on nothing."""
        for handler in reversed(self._handlers):
            handler.stop()

    def resume(self) -> None:
        """Go on with what waited for the template's roles and buckets to be made again."""
        self.endpoints.queue.resume()

    def wait(self, kind: str, name: str, timeout: float | None = None) -> dict[str, Any] | None:
        """Block until a job has ended, or nothing is under way for an endpoint; its description, or None in time-out.

        `kind` is the API's noun: `TrainingJob`, `ProcessingJob`, …, `Endpoint`.
        """
        if kind == "Endpoint":
            return self.endpoints.wait(name, timeout)
        return self.jobs.wait(kind, name, timeout)
