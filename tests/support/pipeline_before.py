"""What there is before a scenario: brought about by the owner, who is not restricted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline_stage import Stage


def nothing(stage: Stage) -> None:
    """Nothing has to be prepared."""


def absent(stage: Stage) -> None:
    """There is no endpoint, no model and no lease."""
    stage.absent()
    stage.free()
    stage.tidy()


def without_images(stage: Stage) -> None:
    """There is nothing, and our images are not there either."""
    absent(stage)
    registry: Any = stage.cloud.services["ecr"]
    registry.remove_images("mw-dev-serving")


def serving(stage: Stage) -> None:
    """A model serves."""
    if not stage.serves_well():
        stage.absent()
        stage.free()
        assert stage.run("good").outcome == "Deployed"
    stage.free()
    stage.tidy()


def serving_and_old(stage: Stage) -> None:
    """A model serves, and one of an earlier run is left."""
    serving(stage)
    stage.leave_an_old_model()


def broken(stage: Stage) -> None:
    """The endpoint is Failed."""
    absent(stage)
    stage.break_endpoint()
