"""What the instances of endpoints use: `/aws/sagemaker/Endpoints`, once a minute as long as they serve.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-endpoints

An instance is a server's process here, so the share is that of this machine. CPUUtilization is not measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoint_fleet import Fleet
    from modelwright.local.sagemaker.endpoint_server import Server

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
            found = _percents(member.server)
            dimensions = {"EndpointName": name, "VariantName": member.variant}
            for metric, percent in found.items():
                self._cloud.put_metric(NAMESPACE, metric, percent, "Percent", dimensions)
                self._reported[name] = now


def _percents(server: Server) -> dict[str, float]:
    pid = server.pid
    memory = _resident_bytes(pid) if pid is not None else 0
    if memory == 0:
        return {}
    disk = sum(path.stat().st_size for path in server.root.rglob("*") if path.is_file())
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "MemoryUtilization": 100 * memory / total,
        "DiskUtilization": 100 * disk / shutil.disk_usage(server.root).total,
    }


def _resident_bytes(pid: int) -> int:
    """The memory that a process holds; 0 when there is none (any more)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0 if Path("/proc/self").exists() else _resident_by_ps(pid)


def _resident_by_ps(pid: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return int(found.stdout.strip() or 0) * 1024
