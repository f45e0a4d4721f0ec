"""What the instances of endpoints use: `/aws/sagemaker/Endpoints`, once a minute as long as they serve.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-endpoints

An instance is a server's process here, so the share is that of this machine; a serverless container's is that of its
MemorySizeInMB. CPUUtilization is not measured.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.local.processes.memory import resident_bytes

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.hosting.fleet import Fleet, Member
    from modelwright.local.sagemaker.hosting.variant import Value

NAMESPACE = "/aws/sagemaker/Endpoints"
EVERY_SECONDS = 60.0


class Usage:
    """Records the metrics of endpoints, each at most once a minute."""

    def __init__(self, cloud: Cloud) -> None:
        """Nothing is recorded yet."""
        self._cloud = cloud
        self._reported: dict[str, float] = {}

    def report(self, name: str, fleet: Fleet) -> None:
        """Record what the endpoint's servers use, if a minute has gone by; one that does not run has nothing to say."""
        now = self._cloud.clock.time()
        if now - self._reported.get(name, 0.0) < EVERY_SECONDS:
            return
        for member in fleet.members:
            dimensions = {"EndpointName": name, "VariantName": member.variant}
            for metric, value, unit in _values(member):
                self._cloud.put_metric(NAMESPACE, metric, value, unit, dimensions)
                self._reported[name] = now


def _values(member: Member) -> list[Value]:
    serverless = member.plan.get("Serverless")
    servers = [(server, pid) for server in member.server.servers if (pid := server.pid) is not None]
    memory = sum(resident_bytes(pid) for _, pid in servers)
    values: list[Value] = []
    if member.plan.get("MultiModel"):
        values.append(("LoadedModelCount", float(len(servers)), "None"))
    if memory == 0:
        return values
    total = serverless["MemorySizeInMB"] << 20 if serverless else _machine_bytes()
    values.append(("MemoryUtilization", 100 * memory / total, "Percent"))
    if serverless:
        return values
    try:
        whole = shutil.disk_usage(servers[0][0].root).total
    except FileNotFoundError:  # the server ends just now
        return values
    disk = sum(_bytes_below(server.root) for server, _ in servers)
    return [*values, ("DiskUtilization", 100 * disk / whole, "Percent")]


def _bytes_below(folder: Path) -> int:
    """What a folder's files have now: the server writes and removes some meanwhile."""
    return sum(_size(Path(here, name)) for here, _, names in os.walk(folder) for name in names)


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:
        return 0


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
