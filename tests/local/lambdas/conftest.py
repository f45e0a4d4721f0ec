from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import handler_ground
import prepare_ground
import pytest
from fake_sagemaker import FakeSageMaker
from moto_platform import moto_platform
from one_at_a_time import OneAtATime

import prepare_run.handler as prepare
import promote_model.handler as promote
import remove_old_models.handler as remove
import restore_endpoint.handler as restore
import shared.clients
import smoke_test.handler as smoke
import watch_endpoint.handler as watch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the handlers of `handler_ground` find."""
    handler_ground.stepfunctions(monkeypatch, "RUNNING")
    with moto_platform(monkeypatch, handler_ground.ENVIRONMENT, "artifacts"):
        yield


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> FakeSageMaker:
    """What these handlers have for SageMaker."""
    fake = FakeSageMaker()
    real = shared.clients.client
    for module in (promote, remove, restore, smoke, watch):
        monkeypatch.setattr(
            module, "client", lambda service: fake if service.startswith("sagemaker") else real(service)
        )
    return fake


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> Iterator[prepare_ground.Executions]:
    """What `PrepareRun` finds, and how executions stand."""
    real, found, lock = shared.clients.client, prepare_ground.Executions(), Lock()
    fakes = {"stepfunctions": found}
    monkeypatch.setattr(prepare, "client", lambda name: fakes.get(name) or OneAtATime(real(name), lock))
    with moto_platform(monkeypatch, prepare_ground.ENVIRONMENT, "artifacts"):
        yield found
