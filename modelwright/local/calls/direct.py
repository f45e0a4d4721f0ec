"""The local cloud's own way to its own services: botocore's method names, no HTTP, as the owner.

The deployer makes some eighty calls at each start; parsing and writing AWS's protocols for each would take longer than
all that they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.service import Call, Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud

PLATFORM = Caller("owner", "arn:aws:iam::aws:user/local-cloud")


class Direct:
    """A client of one of our own services. Its methods take and give botocore's shapes and raise AwsError."""

    def __init__(self, cloud: Cloud, service: str) -> None:
        self._service, self._region = cloud.services[service], cloud.region

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        if operation not in self._service.operations:
            raise AttributeError(f"{self._service.name} has no {operation} in the local cloud")

        def call(**params: Any) -> dict[str, Any]:
            return self._service.handle(Call(self._service.name, operation, params, PLATFORM, self._region))

        return call
