"""The state machine as data: one function a state, joined here in the order in which a reader meets them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from modelwright.workflow import (
    states_compile,
    states_endings,
    states_endpoint,
    states_failure,
    states_gate,
    states_jobs,
    states_lease,
    states_model,
    states_prepare,
    states_promote,
    states_scaling,
    states_shadow,
    states_watch,
)
from modelwright.workflow.structure import ENDPOINT_KINDS, Structure, Surroundings, WorkflowStructure
from modelwright.workflow.tasks import State

StateFunction = Callable[[WorkflowStructure], State]

_TO_PACKAGE: tuple[StateFunction, ...] = (
    states_prepare.prepare_run,
    states_prepare.check_run,
    states_jobs.process_data,
    states_jobs.train_model,
    states_jobs.evaluate_model,
    states_jobs.check_capacity,
    states_jobs.wait_for_capacity,
    states_jobs.resume_job,
    states_gate.record_metrics,
    states_gate.check_quality_gate,
    states_gate.package_model,
)
_COMPILATION: tuple[StateFunction, ...] = (
    states_compile.decide_compilation,
    states_compile.find_serving_image,
    states_compile.build_serving_image,
    states_compile.convert_model,
    states_compile.choose_model,
)
_SCRIPT_IMAGE: tuple[StateFunction, ...] = (
    states_compile.decide_serving,
    states_compile.find_serving_image,
    states_compile.build_serving_image,
)
_REGISTRY: tuple[StateFunction, ...] = (
    states_gate.register_model,
    states_gate.decide_deployment,
)
_HOSTING: tuple[StateFunction, ...] = (
    states_lease.acquire_deployment,
    states_lease.check_lease,
    states_lease.wait_for_lease,
    states_lease.explain_busy_endpoint,
    states_model.create_model,
    states_model.create_endpoint_config,
    states_endpoint.inspect_endpoint,
    states_endpoint.check_endpoint_absent,
    states_endpoint.deploy_endpoint,
    states_endpoint.wait_for_idle_endpoint,
    states_endpoint.explain_unusable_endpoint,
    states_endpoint.explain_other_kind,
    states_endpoint.delete_failed_endpoint,
    states_endpoint.create_endpoint,
)
_SHADOW: tuple[StateFunction, ...] = (
    states_shadow.inspect_champion,
    states_shadow.check_champion,
    states_shadow.explain_no_shadow,
    states_shadow.create_shadow_config,
    states_shadow.start_shadow,
    states_shadow.bake_shadow,
    states_shadow.judge_shadow,
    states_shadow.check_shadow,
    states_shadow.explain_shadow,
)
_SERVING: tuple[StateFunction, ...] = (
    states_watch.watch_endpoint,
    states_watch.check_endpoint,
    states_watch.wait_for_endpoint,
    states_watch.explain_deployment,
    states_watch.smoke_test,
)
_PROMOTION: tuple[StateFunction, ...] = (
    states_promote.promote_model,
    states_promote.remove_old_models,
    states_lease.release_lease,
    states_endings.notify_success,
    states_endings.report_deployed,
    states_endings.mark_run_superseded,
    states_endings.report_superseded,
    states_failure.restore_endpoint,
    states_failure.check_restore,
    states_failure.wait_for_restore,
    states_lease.release_failed_lease,
)
_WITHOUT_ENDPOINT: tuple[StateFunction, ...] = (
    states_endings.mark_run_registered,
    states_endings.notify_registered,
    states_endings.report_registered,
)
_ENDINGS: tuple[StateFunction, ...] = (
    states_endings.mark_run_rejected,
    states_endings.notify_rejected,
    states_endings.report_rejected,
    states_endings.report_duplicate,
    states_endings.report_unchanged,
    states_failure.mark_run_failed,
    states_failure.notify_failure,
    states_failure.fail_run,
)


def state_name(function: StateFunction) -> str:
    """The state that `function` builds: `TrainModel` of `train_model`."""
    return "".join(word.capitalize() for word in function.__name__.split("_"))


def state_functions(structure: WorkflowStructure) -> tuple[StateFunction, ...]:
    """The functions of the states that `structure` needs, first state first."""
    if structure.endpoint not in ENDPOINT_KINDS:
        allowed = " or ".join(ENDPOINT_KINDS)
        raise ValueError(f"{structure.pipeline}: deploy.endpoint is {structure.endpoint!r}; it must be {allowed}.")
    middle = _WITHOUT_ENDPOINT if structure.endpoint == "none" else _deployment(structure)
    script_image = _SCRIPT_IMAGE if structure.script_image else ()
    serving = _COMPILATION if structure.compiled else script_image
    return (*_TO_PACKAGE, *serving, *_REGISTRY, *middle, *_ENDINGS)


def _deployment(structure: WorkflowStructure) -> tuple[StateFunction, ...]:
    return (
        *_HOSTING,
        *(_SHADOW if structure.shadow else ()),
        *((states_scaling.prepare_scaling,) if structure.autoscaling else ()),
        *((states_endpoint.inspect_alarms,) if structure.guarded else ()),
        states_endpoint.update_endpoint,
        *_SERVING,
        *((states_scaling.set_scaling,) if structure.autoscaling else ()),
        *_PROMOTION,
    )


def definition(structure: Structure, surroundings: Surroundings | None = None) -> dict[str, Any]:
    """The whole Amazon States Language document of a pipeline, with `${Name}` for what only a deployment knows."""
    whole = WorkflowStructure.of(structure, surroundings or Surroundings())
    functions = state_functions(whole)
    return {
        "Comment": f"modelwright: {structure.pipeline}, from data to a served model",
        "QueryLanguage": "JSONata",
        "StartAt": state_name(functions[0]),
        "TimeoutSeconds": whole.limits.execution_seconds,
        "States": {state_name(function): function(whole) for function in functions},
    }


def placeholders(document: dict[str, Any]) -> frozenset[str]:
    """The names in `${…}` of a definition."""
    return frozenset(re.findall(r"\$\{([A-Za-z]+)\}", json.dumps(document)))


PLACEHOLDERS: frozenset[str] = frozenset(
    {
        "AcquireDeploymentFunctionArn",
        "AnswersTopicArn",
        "CheckQualityGateFunctionArn",
        "ChooseModelFunctionArn",
        "EndpointErrorAlarmName",
        "EndpointLatencyAlarmName",
        "EndpointName",
        "HostingRoleArn",
        "JudgeShadowFunctionArn",
        "KeyArn",
        "ModelPackageGroupName",
        "PackageModelFunctionArn",
        "PrepareRunFunctionArn",
        "ProcessingRoleArn",
        "PromoteModelFunctionArn",
        "RecordMetricsFunctionArn",
        "RemoveOldModelsFunctionArn",
        "RestoreEndpointFunctionArn",
        "ScaleEndpointFunctionArn",
        "ServingImageHash",
        "ServingImageProject",
        "ServingImageRepository",
        "SmokeTestFunctionArn",
        "TableName",
        "TopicArn",
        "TrainingRoleArn",
        "WatchEndpointFunctionArn",
    }
)
"""Every name that some pipeline's definition has; `placeholders(definition(…))` says which a given one needs."""
