from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from modelwright.clock import FakeClock
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.attach import shut_down

sys.path.insert(0, str(Path(__file__).parent))

from daemon_processes import daemons_of, make_project
from echo_services import ALL  # beside this file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[3]
REGION = "eu-central-1"
ECHOES = {name: f"echo_services:{cls.__name__}" for name, cls in ALL.items()}


@pytest.fixture
def make_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Makes started clouds on one directory; a second one is what a restart makes."""
    clouds: list[Cloud] = []

    def make(services: dict[str, str] | None = None) -> Cloud:
        if clouds:
            clouds.pop().stop()
        table = ECHOES if services is None else services
        cloud = Cloud(tmp_path / ".modelwright", REGION, clock=FakeClock(), services=table, warm=False)
        clouds.append(cloud)
        cloud.start()
        return cloud

    yield make
    for cloud in clouds:
        cloud.stop()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    return make_cloud()


@pytest.fixture
def restart(make_cloud):
    """A started cloud with the bucket `bucket`; called again, the cloud after a restart with the bucket made again."""

    def start(versioned: bool = False):
        cloud = make_cloud()
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        if versioned:
            s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        return cloud, s3

    return start


@pytest.fixture
def http_client() -> Callable[..., Any]:
    """Makes a client as the command line or a job has it: over the socket."""

    def make(cloud: Cloud, service: str, keys: Any = None, **settings: Any) -> Any:
        keys = keys or cloud.callers.owner
        return boto3.client(
            service,
            endpoint_url=cloud.endpoint_url,
            region_name=settings.pop("region", REGION),
            config=Config(retries={"total_max_attempts": 1}, **settings),
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.session_token or None,
        )

    return make


CLIENT = """
import sys
from pathlib import Path
from modelwright.local.daemon.attach import attach
with attach(Path(sys.argv[1])) as cloud:
    print(cloud.endpoint_url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    project = make_project(tmp_path / "project")
    yield project
    for thread in threading.enumerate():
        if thread.name == "attach":
            thread.join()  # a test that failed may have left one that is starting
    with suppress(Exception):
        shut_down(project, force=True)
    for daemon in daemons_of(project):
        with suppress(ChildProcessError):
            os.waitpid(daemon, 0)


@pytest.fixture
def command(root: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a command of its own process that is attached when it has said where to."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
