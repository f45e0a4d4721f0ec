"""The state machine: its definition comes from `modelwright.workflow`, its values from here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_stepfunctions as stepfunctions

from modelwright.workflow.definition import definition
from stacks.policy_checks import accept_found, accept_lint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from modelwright.workflow.structure import Structure, Surroundings
    from stacks.names import PipelineNames


@dataclass(frozen=True)
class Machine:
    """What a state machine is made from."""

    names: PipelineNames
    structure: Structure
    role: iam.CfnRole
    log_group: logs.CfnLogGroup
    substitutions: Mapping[str, str]
    """What the definition's placeholders stand for."""
    surroundings: Surroundings


def state_machine(scope: Construct, machine: Machine) -> stepfunctions.CfnStateMachine:
    """Make the state machine: every event logged with its data, every execution traced.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """
    logged: dict[str, Any] = {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": machine.log_group.attr_arn}}],
    }
    document = definition(machine.structure, machine.surroundings)
    made = stepfunctions.CfnStateMachine(
        scope,
        machine.names.construct("StateMachine"),
        state_machine_name=machine.names.state_machine,
        role_arn=machine.role.attr_arn,
        definition_string=json.dumps(document, indent=1),
        definition_substitutions=dict(machine.substitutions),
        logging_configuration=logged,
        tracing_configuration={"enabled": True},
    )
    accept_lint(made, _computed_timeouts(document))
    accept_found(made, "definition", _single_machines(document))
    return made


def _computed_timeouts(document: Mapping[str, Any]) -> dict[str, str]:
    """What cfn-lint says of timeouts that are expressions, which AWS takes in a JSONata state.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
    """
    states = document["States"].items()
    found = [name for name, state in states if isinstance(state.get("TimeoutSeconds"), str)]
    return {f"E3601[States/{name}/TimeoutSeconds]": "JSONata states take an expression here" for name in found}


def _single_machines(document: Mapping[str, Any]) -> dict[str, str]:
    """Why jobs encrypt no traffic between their containers: each has one.

    https://docs.aws.amazon.com/sagemaker/latest/dg/train-encrypt.html
    """
    jobs = [name for name, state in document["States"].items() if state.get("Resource", "").endswith("Job.sync")]
    return {
        f"traffic[{name}]": "a job has one machine: no other instance_count is allowed in a pipeline's settings"
        for name in jobs
    }
