"""Take a whole environment away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from modelwright.client.deployment import describe_stack, environment_stacks, pipeline_of, stack_names
from modelwright.client.removal.kept import remove_objects
from modelwright.client.removal.pipeline import Pause, destroy, remove_stack
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.session import Session
    from modelwright.config.environment import EnvironmentSettings

_ATTEMPTS = 3
_BUCKET = "AWS::S3::Bucket"


def destroy_environment(
    session: Session, settings: EnvironmentSettings, *, data: bool, pause: Pause = time.sleep
) -> Iterator[str]:
    """Destroy every pipeline that is deployed, also those without a folder; with `data` the data stacks, too.

    The data stacks go only where the environment file says `removal: destroy`: else they are protected.

    Yields:
        One line for each thing removed, then what is left.
    """
    environment = settings.name
    pipelines = sorted(set(filter(None, (pipeline_of(environment, name) for name in _stacks(session, environment)))))
    for pipeline in pipelines:
        yield from destroy(session, environment, pipeline, data=data, pause=pause)
    if not data:
        return
    if settings.removal == "retain":
        yield f"left: the data stacks of {environment}, since environments/{environment}.yaml says `removal: retain`"
        return
    for pipeline in pipelines:
        yield from remove_stack(session, stack_names(environment, pipeline)[1], pause)
    yield from _remove_shared(session, stack_names(environment, "-")[0], pause)
    left = _stacks(session, environment)
    if left:
        raise ModelwrightError(f"There is still {', '.join(left)}.", "Run the same command again.")
    yield f"verified: no stack of {environment} is left"


def _stacks(session: Session, environment: str) -> list[str]:
    return sorted(environment_stacks(session, environment))


def _remove_shared(session: Session, stack: str, pause: Pause) -> Iterator[str]:
    """Buckets must be empty, and access logs of what was just removed arrive hours later: so it is tried again.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#LogDeliveryBestEffort
    """
    for attempt in range(1, _ATTEMPTS + 1):
        for bucket in _buckets(session, stack):
            yield from remove_objects(session, bucket, "")
        try:
            yield from remove_stack(session, stack, pause)
        except ModelwrightError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def _buckets(session: Session, stack: str) -> list[str]:
    """Those that are still there: a first attempt may have removed some."""
    if describe_stack(session, stack) is None:
        return []
    found = session.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    there = [entry for entry in found if entry["ResourceType"] == _BUCKET]
    return [entry["PhysicalResourceId"] for entry in there if entry["ResourceStatus"] != "DELETE_COMPLETE"]
