"""The local cloud's composition root: what every part is handed, and how the parts reach each other."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from modelwright.clock import SystemClock
from modelwright.local.processes.launcher import Launcher
from modelwright.local.processes.orphans import end_orphans
from modelwright.local.services import SERVICES, make_services
from modelwright.local.store import garbage
from modelwright.local.store.database import FILE_NAME, Database
from modelwright.local.store.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from botocore.client import BaseClient

    from modelwright.clock import Clock
    from modelwright.local.service import Service

log = logging.getLogger(__name__)

ACCOUNT = "123456789012"

_PRELOADED = ("s3", "dynamodb")
"""moto's services, in the order in which a deploy needs them"""


class Cloud:
    """One local cloud: its state, its clock, who calls, what they may do, and its services.

    Every part is made as `Part(cloud)` and keeps the reference; at that time only `directory`, `account`, `region`,
    `database`, `objects`, `clock`, `callers`, `iam`, `launcher` and `s3` are there. The rest is there when `start()` of
    a service is called.
    """

    def __init__(  # noqa: PLR0913  # by keyword but for two; all but these two have a default
        self,
        directory: Path,
        region: str,
        *,
        clock: Clock | None = None,
        scripts: Sequence[Path] = (),
        services: Mapping[str, str] = SERVICES,
        warm: bool = True,
    ) -> None:
        """Open the state and bind the endpoint; nothing is answered before `start`. Raises StateUnusable.

        Args:
            directory: `.modelwright`; whoever makes a Cloud owns it (`daemon.control.Ownership`).
            region: AWS's name of the region that this cloud is.
            clock: the machine's by default.
            scripts: folders whose scripts the zygotes import the libraries of (`training_code/<pipeline>`).
            services: our own services, `module:Class` by botocore's name.
            warm: start the zygotes and moto's imports at once, instead of when they are needed first.
        """
        self.directory = directory
        """`.modelwright`"""
        self.account = ACCOUNT
        self.region = region
        self.clock: Clock = clock or SystemClock()
        self._warm = warm
        self._open_state(scripts)
        self._answer_calls()
        self.services: dict[str, Service] = make_services(self, services)
        """our own services, by botocore's name"""

    def _open_state(self, scripts: Sequence[Path]) -> None:
        self.objects = ObjectStore(self.directory / "objects")
        self.database = Database(self.directory / FILE_NAME)
        self.ended_orphans: list[str] = end_orphans(self.database)
        """what a daemon that was killed had left running"""
        self.launcher = Launcher(scripts, self.database)
        if self._warm:
            self.launcher.warm()  # first: the zygotes import in processes of their own while the rest is made
        garbage.collect(self.database, self.objects)

    def _answer_calls(self) -> None:
        # what these import, moto and botocore above all, is imported while the zygotes are at it too
        from modelwright.local.calls.callers import Callers  # noqa: PLC0415
        from modelwright.local.calls.http import HttpServer  # noqa: PLC0415
        from modelwright.local.calls.uploads import Uploads  # noqa: PLC0415
        from modelwright.local.iam.authority import Authority  # noqa: PLC0415

        self.callers = Callers(self)
        self.iam = Authority(self)
        self._server = HttpServer(
            lambda request: self._gateway.answer(request),  # noqa: PLW0108  # the gateway is made later
            receiver=Uploads(self.objects),
        )
        self.endpoint_url: str = self._server.url
        self._serve_moto()

    def _serve_moto(self) -> None:
        from modelwright.local.calls.clients import Clients  # noqa: PLC0415  # as above
        from modelwright.local.calls.gateway import Gateway  # noqa: PLC0415
        from modelwright.local.calls.models import share_with_moto  # noqa: PLC0415
        from modelwright.local.calls.motos import MotoServices  # noqa: PLC0415
        from modelwright.local.persistence.dynamodb_keeper import DynamoKeeper  # noqa: PLC0415
        from modelwright.local.persistence.hooks import Hooks  # noqa: PLC0415
        from modelwright.local.persistence.s3_keeper import S3Keeper  # noqa: PLC0415
        from modelwright.local.s3 import S3Files  # noqa: PLC0415

        share_with_moto()
        self._motos = MotoServices()
        objects = S3Keeper(self)
        self.s3 = S3Files(self, objects, self._motos.turn("s3"))
        """S3 objects as files"""
        self._gateway = Gateway(self, self._motos, Hooks({"s3": objects, "dynamodb": DynamoKeeper(self)}))
        self._clients = Clients(self._gateway.answer, self.endpoint_url, self.region, self._gateway.ask)

    def start(self) -> None:
        """Answer calls, and let every service take up what the database holds."""
        self._motos.take()
        if self._warm:
            threading.Thread(target=self._motos.preload, args=(_PRELOADED,), name="moto-imports", daemon=True).start()
        self._server.start()
        for service in self.services.values():
            service.start()

    def resume(self) -> None:
        """The template's resources are there again: let services go on with what waited for them."""
        for service in self.services.values():
            resume = getattr(service, "resume", None)  # few have something to resume
            if resume is not None:
                resume()

    def stop(self) -> None:
        """End what runs, recorded; stop answering; close the state. A service that fails to stop stops no other."""
        for name, service in reversed(self.services.items()):
            try:
                service.stop()
            except Exception:
                log.exception("the service %s did not stop as it should", name)
        self._server.stop()
        self.launcher.stop()
        self._motos.forget()
        garbage.collect(self.database, self.objects)
        self.database.close()

    def client(self, service: str, role_arn: str | None = None, *, via: str | None = None) -> BaseClient:
        """A cached boto3 client on this cloud: the owner's, or that of a session of the role.

        It goes through the gateway in this process (parsed, authorized, persisted like any call) without a socket.
        """
        credentials = self.callers.owner if role_arn is None else self.callers.session(role_arn, via=via)
        return self._clients.client(service, credentials)

    def authorize(self, role_arn: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Raise AwsError AccessDenied unless the role may do `action` on `resource`."""
        self.iam.authorize(role_arn, action, resource, context)

    def publish_event(self, event: dict[str, Any]) -> None:
        """Put an AWS service's event on the default bus: `services["events"].publish(event)`.

        `event` needs `source`, `detail-type`, `resources` and `detail`; id, time, account and region are filled in.
        """
        self.services["events"].publish(event)  # type: ignore[attr-defined]  # that service's own method

    def put_metric(self, namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
        """Record one value of a platform metric (`AWS/States` …): `services["cloudwatch"].record(…)`."""
        self.services["cloudwatch"].record(namespace, name, value, unit, dimensions)  # type: ignore[attr-defined]

    def log(self, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Write lines (epoch seconds, text) to CloudWatch Logs for the platform: `services["logs"].write(…)`."""
        self.services["logs"].write(group, stream, lines)  # type: ignore[attr-defined]
