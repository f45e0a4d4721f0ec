from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from modelwright.clock import FakeClock
from modelwright.local.cloud import Cloud

sys.path.insert(0, str(Path(__file__).parent))

from echo_services import ALL  # beside this file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
