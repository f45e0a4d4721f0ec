from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from moto.backends import get_backend

from modelwright.clock import FakeClock
from modelwright.local.cloud import Cloud

REGION = "eu-central-1"
SERVICES: dict[str, str] = {}
"""these tests are about the core: what colleagues' services do is tested with them"""


def forget_moto() -> None:
    """What moto holds is gone, as after a restart of the process."""
    for name in ("s3", "dynamodb", "sqs", "sns", "iam", "kms", "ssm"):
        get_backend(name).reset()


@pytest.fixture
def make_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Makes started clouds on one directory; a second one is what a restart makes."""
    clouds: list[Cloud] = []

    def make(services: dict[str, str] | None = None) -> Cloud:
        if clouds:
            clouds.pop().stop()
        forget_moto()
        cloud = Cloud(tmp_path / ".modelwright", REGION, clock=FakeClock(), services=services or SERVICES, warm=False)
        clouds.append(cloud)
        cloud.start()
        return cloud

    yield make
    for cloud in clouds:
        cloud.stop()
    forget_moto()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    return make_cloud()


def http_client(cloud: Cloud, service: str, **keys: Any) -> BaseClient:
    """A client as the command line or a job has it: over the socket."""
    owner = cloud.callers.owner
    keys = keys or {"aws_access_key_id": owner.access_key, "aws_secret_access_key": owner.secret_key}
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name=REGION,
        config=Config(retries={"total_max_attempts": 1}),
        **keys,
    )
