"""JSONata expressions that several states share.

A value reaches a request only as a bound variable, never as pasted text, and JSON is never built by concatenation:
a quote or a backslash in a cause passes through unchanged.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.config.environment import OWN_TAGS
from modelwright.workflow.run_names import SHADOW_ATTEMPT, name_prefix

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


def jsonata(text: str) -> str:
    """The JSONata expression `text` as the value of a field."""
    return "{% " + text.strip() + " %}"


def expression(value: Any) -> str:
    """`value`, whose texts may be `{% ... %}`, as one JSONata expression."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {expression(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(expression(item) for item in value) + "]"
    if isinstance(value, str) and value.startswith("{%"):
        return value[2:-2].strip()
    return json.dumps(value)


def with_optional(fixed: dict[str, Any], optional: str) -> str:
    """The fields `fixed` and those of the object `optional`, which may be empty: no field is ever undefined."""
    return jsonata(f"$merge([{expression(fixed)}, {optional}])")


# The first 12 hex digits of the execution's hash: known before anything ran, so that a failed start is recorded too.
RUN_ID = "$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 12)"

# A name used again is refused, so each attempt has its own two digits: rounds of waiting for capacity, then Step
# Functions' retries. Always two: `run_names.py` says why.
ATTEMPT = "$string($capacity_waits) & $string($states.context.State.RetryCount)"


def job_name(structure: WorkflowStructure, step: str) -> str:
    """The name of this attempt of a job: at most 63 characters."""
    return _run_name(name_prefix(structure.environment, structure.pipeline, step))


def deployment_name(structure: WorkflowStructure) -> str:
    """The name of this attempt of a model or an endpoint's configuration."""
    return _run_name(name_prefix(structure.environment, structure.pipeline))


def shadow_name(structure: WorkflowStructure) -> str:
    """The name of this attempt of the configuration that has the new model as the champion's shadow."""
    prefix = name_prefix(structure.environment, structure.pipeline)
    return jsonata(f"'{prefix}' & $plan.run.id & '-{SHADOW_ATTEMPT}' & $string($states.context.State.RetryCount)")


def _run_name(prefix: str) -> str:
    return jsonata(f"'{prefix}' & $plan.run.id & '-' & {ATTEMPT}")


def name_in_arn(field: str) -> str:
    """The name at the end of an ARN in the result. SageMaker writes ARNs in lower case; ours are in lower case too."""
    return jsonata(f"$split($states.result.{field}, '/')[-1]")


def tags(structure: WorkflowStructure) -> list[dict[str, Any]]:
    """Tags of everything that a run makes in SageMaker.

    But a model package: one in a group has its group's tags, and takes none of its own.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html (Tags)
    """
    own = (structure.environment, structure.pipeline, jsonata("$plan.run.id"), jsonata("$plan.run.release"))
    values = {**dict(sorted(structure.surroundings.tags.items())), **dict(zip(OWN_TAGS, own, strict=True))}
    return [{"Key": key, "Value": value} for key, value in values.items()]
