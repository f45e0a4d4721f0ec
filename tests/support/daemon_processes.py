"""What the tests of the daemon share: a project's folder, and a look at the process that is its local cloud."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import boto3

from modelwright.local.daemon.attach import status
from modelwright.local.daemon.control import DIRECTORY, Channel, connect

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.local.daemon.lease import LocalCloud


def make_project(project: Path) -> Path:
    (project / "environments").mkdir(parents=True)
    (project / "environments" / "dev.yaml").write_text("region: eu-central-1\n")
    return project


def daemons_of(project: Path) -> list[int]:
    """Daemons that this process started are its children; it has others (jsii's Node), which do not end."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, parent, args in rows if int(parent) == os.getpid() and str(project) in args]


def watch(root: Path) -> Channel:
    """A connection that is no lease; `receive` on it returns when the daemon has ended."""
    channel, token = connected(root)
    assert channel.ask({"do": "status", "token": token}) is not None
    return channel


def connected(root: Path) -> tuple[Channel, str]:
    found = connect(root / DIRECTORY)
    assert found is not None
    return found


def pid_of(root: Path) -> int:
    found = status(root)
    assert found is not None
    return found.pid


def s3(cloud: LocalCloud) -> Any:
    keys = cloud.credentials
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
    )


def with_bucket(cloud: LocalCloud) -> Any:
    client = s3(cloud)
    client.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": cloud.region})
    return client
