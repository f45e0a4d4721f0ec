"""An assembly deployed in a local cloud inside this process, as long as a context lasts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pipeline_ground import REGION, Inline

from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy
from modelwright.local.functions import events
from modelwright.local.stepfunctions.environment import Interrupted, LocalEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HURRY = 500


@contextmanager
def deployed_cloud(folder: Path, assembly: Path, **settings: Any) -> Iterator[Cloud]:
    """A started cloud in the folder with the assembly deployed; `settings` are Cloud's own."""
    made = Cloud(folder, REGION, **settings)
    made.start()
    try:
        deploy(made, assembly)
        yield made
    finally:
        made.stop()


@contextmanager
def events_inline(cloud: Cloud) -> Iterator[None]:
    """What an event calls is done when the event has been told; its second and third attempts wait for nothing."""
    functions: Any = cloud.services["lambda"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "DELAYS_SECONDS", (0.0, 0.0))
        patch.setattr(functions._events, "_threads", Inline())
        yield


@contextmanager
def waits_hurried() -> Iterator[None]:
    """Waits and back-off of state machines are 500 times shorter. Timeouts are what they are."""

    def sleep(self: LocalEnvironment, seconds: float) -> None:
        if self.runtime.sleep(seconds / HURRY, self.over):
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalEnvironment, "sleep", sleep)
        yield
