"""What the stack needs to know of each Lambda: handler, size, environment, and which actions on which resources.

A resource is an ARN with `${Name}` for what the stack knows; `FUNCTION_RESOURCES` lists the names. The contract tests
hold this table against the handlers' own `Env` classes and against the state machine's placeholders.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from modelwright.workflow.function import DECRYPT, Function
from modelwright.workflow.functions_hosting import (
    ACQUIRE_DEPLOYMENT,
    ARCHIVES,
    JUDGE_SHADOW,
    PROMOTE_MODEL,
    QUEUE,
    REMOVE_OLD_MODELS,
    RESTORE_ENDPOINT,
    SCALE_ENDPOINT,
    SCALING,
    SMOKE_TEST,
    WATCH_ENDPOINT,
)
from modelwright.workflow.functions_training import (
    CHECK_QUALITY_GATE,
    CHOOSE_MODEL,
    PACKAGE_MODEL,
    PREPARE_RUN,
    RECORD_METRICS,
)

FUNCTIONS: Final = (
    PREPARE_RUN,
    RECORD_METRICS,
    CHECK_QUALITY_GATE,
    PACKAGE_MODEL,
    CHOOSE_MODEL,
    ACQUIRE_DEPLOYMENT,
    WATCH_ENDPOINT,
    SMOKE_TEST,
    PROMOTE_MODEL,
    REMOVE_OLD_MODELS,
    RESTORE_ENDPOINT,
    SCALE_ENDPOINT,
    JUDGE_SHADOW,
)


def functions(
    endpoint: str, *, autoscaling: bool = False, shadow: bool = False, compiled: bool = False
) -> tuple[Function, ...]:
    """The functions that a pipeline with this kind of endpoint needs, each with the grants that it needs there."""
    has = {"": True, "autoscaling": autoscaling, "shadow": shadow, "compiled": compiled}
    wanted = (item for item in FUNCTIONS if (endpoint != "none" or not item.deploys) and has[item.only_with])
    return tuple(_granted(item, endpoint, autoscaling=autoscaling) for item in wanted)


def _granted(item: Function, endpoint: str, *, autoscaling: bool) -> Function:
    """The function with what only this kind of endpoint asks of it."""
    if item is SMOKE_TEST and endpoint == "async":
        asking = "sagemaker:InvokeEndpoint"
        usual = tuple(grant for grant in item.grants if asking not in grant.actions and grant is not DECRYPT)
        return replace(item, grants=(*usual, *QUEUE))
    if item is REMOVE_OLD_MODELS and endpoint == "multi-model":
        return replace(item, grants=(*item.grants, *ARCHIVES))
    if item in (SCALE_ENDPOINT, RESTORE_ENDPOINT) and autoscaling:
        return replace(item, grants=(*item.grants, *SCALING))
    return item


def timeout_of(name: str) -> int:
    """The timeout of the function `name`, in seconds."""
    return next(item.timeout_seconds for item in FUNCTIONS if item.name == name)
