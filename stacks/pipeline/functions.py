"""The Lambdas of a pipeline's states, and what all its Lambdas are told in environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.workflow.functions import functions
from stacks.constructs.data_trigger import watched_data
from stacks.constructs.functions import FunctionContext, Functions

if TYPE_CHECKING:
    from modelwright.config.structure import PipelineStructure
    from modelwright.workflow.function import Function
    from stacks.pipeline.building import Building


def function_maker(building: Building) -> Functions:
    """Stage the code, and return what makes functions of it."""
    context = FunctionContext(building.target, _values(building), building.settings.logs.retention_days)
    return Functions(building.stack, context)


def functions_of_states(structure: PipelineStructure) -> tuple[Function, ...]:
    """Return the functions that the states of this kind of pipeline call."""
    return functions(
        structure.endpoint,
        autoscaling=structure.autoscaling,
        shadow=structure.shadow,
        compiled=structure.compiled,
    )


def _values(building: Building) -> dict[str, str | None]:
    """The value of each variable that a function may ask for; None: it is told nothing."""
    settings, structure, shared = building.settings, building.structure, building.shared
    return {
        "PIPELINE": structure.pipeline,
        "ENVIRONMENT": settings.name,
        "ARTIFACT_BUCKET": shared.artifact_bucket,
        "TABLE_NAME": shared.table_name,
        "KEY_ARN": shared.key_arn,
        "STRUCTURE": structure.digest(),
        "ENDPOINT_NAME": building.names.prefix,
        "LEASE_SECONDS": str(settings.limits.lease_seconds),
        "DATA_PREFIX": watched_data(structure, shared).uri,
        "MAX_RUNS_PER_DAY": str(settings.limits.max_runs_per_day or 0),
        "EVENT_BUS_NAME": shared.event_bus_name,
        "TOPIC_ARN": shared.topic_arn,
        "AUTHORIZATION": structure.api.authorization if structure.api else None,
        "SEVERAL_MODELS": "yes" if structure.endpoint == "multi-model" else None,
        "ERROR_PERCENT": f"{settings.alarms.endpoint_error_percent:g}",
        "LATENCY_MS": f"{settings.alarms.endpoint_latency_ms:g}",
    }
