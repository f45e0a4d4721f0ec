"""Makes the members of a fleet from a plan's variants: an instance, one with several models, a serverless container."""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.plan import find_target, may_log
from modelwright.local.sagemaker.hosting.code import INSIDE, SUBMIT_DIRECTORY
from modelwright.local.sagemaker.hosting.fleet import Host, Member
from modelwright.local.sagemaker.hosting.metrics import of_variant
from modelwright.local.sagemaker.hosting.multi_model import MultiModelHost, most_loaded
from modelwright.local.sagemaker.hosting.server import Server, ServerSpec
from modelwright.local.sagemaker.hosting.serverless import STARTUP_SECONDS, ServerlessHost, idle_seconds
from modelwright.local.sagemaker.jobs.process import role_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.hosting.variant import Value
    from modelwright.local.sagemaker.runtime import SageMakerRuntime


@dataclass(frozen=True)
class Place:
    """What a member belongs to."""

    endpoint: str
    config: str
    deployment: str

    def folder(self, cloud: Cloud) -> Path:
        """Return what its members' trees are in."""
        return cloud.directory / "endpoints" / self.endpoint / self.deployment


class Members:
    """Makes members whose processes have their trees under `<directory>/endpoints`."""

    def __init__(self, cloud: Cloud) -> None:
        """Nothing is started here."""
        self._cloud = cloud

    def make(self, place: Place, variant: dict[str, Any], number: int) -> Member:
        """Make the variant's member of that number; its log stream is `<variant>/<instance id>`, as on AWS."""
        name, endpoint, deployment = variant["VariantName"], place.endpoint, place.deployment
        seed = f"{endpoint}/{deployment}/{name}/{number}".encode()
        stream = f"{name}/i-{hashlib.sha256(seed).hexdigest()[:17]}"
        root = place.folder(self._cloud) / f"{name}-{number}"
        on_line = self._log(variant["RoleArn"], f"/aws/sagemaker/Endpoints/{endpoint}", stream)
        record = partial(self._record, of_variant(endpoint, name))
        host: Host
        if variant.get("MultiModel"):
            host = self._several(variant, root, on_line, record)
        elif variant.get("Serverless"):
            host = self._serverless(variant, root, on_line, record)
        else:
            host = Server(self._cloud.launcher, self._spec(variant, root, variant["StartupSeconds"]), on_line)
        return Member(name, stream, host, place.config, variant)

    def _spec(self, variant: dict[str, Any], root: Path, startup_seconds: float) -> ServerSpec:
        archive = variant["Archive"]
        return ServerSpec(
            root=root,
            archive=None if archive is None else self._cloud.objects.path(archive),
            environment=self._environment(variant),
            startup_seconds=startup_seconds,
        )

    def _serverless(
        self, variant: dict[str, Any], root: Path, on_line: Callable[[str], None], record: Callable[..., None]
    ) -> ServerlessHost:
        numbers, limit = itertools.count(), variant["Serverless"]["MemorySizeInMB"] << 20

        def make() -> Server:  # in a tree of its own: the container before may still be ending
            spec = self._spec(variant, root / str(next(numbers)), STARTUP_SECONDS)
            return Server(self._cloud.launcher, spec, on_line)

        return ServerlessHost(make, limit, idle_seconds(), on_line=on_line, record=record)

    def _several(
        self, variant: dict[str, Any], root: Path, on_line: Callable[[str], None], record: Callable[..., None]
    ) -> MultiModelHost:
        cloud, several = self._cloud, variant["MultiModel"]
        own = {SUBMIT_DIRECTORY: INSIDE, "SAGEMAKER_MULTI_MODEL": "true"}
        environment = {"MODELWRIGHT_WORKERS": "1", **self._environment(variant), **own}

        def load(target: str, number: int, archive: Path) -> Server:
            place = hashlib.sha256(target.encode()).hexdigest()
            spec = ServerSpec(
                root=root / str(number),
                archive=archive,
                environment=environment,
                startup_seconds=variant["StartupSeconds"],
                model_dir=f"/opt/ml/models/{place}/model",
                code=cloud.objects.path(several["Code"]),
            )
            return Server(cloud.launcher, spec, on_line)

        most = most_loaded() if several["Cache"] == "Enabled" else 0
        return MultiModelHost(partial(find_target, cloud, variant), load, most, record)

    def _record(self, dimensions: Mapping[str, str], values: list[Value]) -> None:
        services: Mapping[str, Any] = self._cloud.services
        runtime: SageMakerRuntime = services["sagemaker-runtime"]
        runtime.metrics.tell(dimensions, values)

    def _log(self, role: str, group: str, stream: str) -> Callable[[str], None]:
        cloud = self._cloud
        if not may_log(cloud, role, group, stream):
            return lambda _: None
        return lambda line: cloud.log(group, stream, [(cloud.clock.time(), line)])

    def _environment(self, variant: dict[str, Any]) -> dict[str, str]:
        """The model's Environment, and what SageMaker and a container's image put beside it.

        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
        """
        cloud = self._cloud
        given = {"PATH": _path(), "LANG": "C.UTF-8", "HOME": "/tmp", "SAGEMAKER_REGION": cloud.region}  # noqa: S108  # the container's own
        given["AWS_REGION"] = cloud.region
        if not variant["Isolated"]:
            given |= role_environment(cloud, variant["RoleArn"])
        return {**given, **variant["Environment"]}


def _path() -> str:
    here = os.path.dirname(sys.executable)  # noqa: PTH120  # not resolved: a venv's Python is a link
    return os.pathsep.join([here, "/usr/local/bin", "/usr/bin", "/bin"])
