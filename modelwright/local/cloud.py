"""The local cloud's composition root: what every part is handed, and how the parts reach each other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.service import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from botocore.client import BaseClient

    from modelwright.clock import Clock
    from modelwright.local.processes.launcher import Launcher
    from modelwright.local.service import CallerRegistry, PolicyAuthority, Service
    from modelwright.local.store.database import Database
    from modelwright.local.store.objects import ObjectStore

ACCOUNT = "123456789012"


class Cloud:
    """One local cloud: its state, its clock, who calls, what they may do, and its services.

    Every part is made as `Part(cloud)` and keeps the reference; at that time only `directory`, `account`, `region`,
    `database`, `objects` and `clock` are there. The rest is there when `start()` of a service is called.
    """

    directory: Path
    """`.modelwright`"""
    account: str
    region: str
    endpoint_url: str
    database: Database
    objects: ObjectStore
    clock: Clock
    callers: CallerRegistry
    iam: PolicyAuthority
    launcher: Launcher
    services: dict[str, Service]

    def client(self, service: str, role_arn: str | None = None, *, via: str | None = None) -> BaseClient:
        """A cached boto3 client on this cloud: the owner's, or that of a session of the role.

        It goes through the gateway in this process (parsed, authorized, persisted like any call) without a socket.
        """
        raise NotImplementedError

    def authorize(
        self, role_arn: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> None:
        """Raise AwsError AccessDenied unless the role may do `action` on `resource`."""
        self.iam.authorize(role_arn, action, resource, context)

    def publish_event(self, event: dict[str, Any]) -> None:
        """Put an AWS service's event on the default bus: `services["events"].publish(event)`.

        `event` needs `source`, `detail-type`, `resources` and `detail`; id, time, account and region are filled in.
        """
        self.services["events"].publish(event)  # type: ignore[attr-defined]  # that service's own method

    def put_metric(
        self, namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Record one value of a platform metric (`AWS/States` …): `services["cloudwatch"].record(…)`."""
        self.services["cloudwatch"].record(namespace, name, value, unit, dimensions)  # type: ignore[attr-defined]

    def log(self, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Write lines (epoch seconds, text) to CloudWatch Logs for the platform: `services["logs"].write(…)`."""
        self.services["logs"].write(group, stream, lines)  # type: ignore[attr-defined]
