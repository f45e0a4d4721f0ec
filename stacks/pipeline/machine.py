"""The state machine of a pipeline: its log, its role, and what the placeholders of its definition stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.workflow.structure import LEASE_MARGIN_SECONDS, UNGUARDED, Limits, Network, Surroundings
from stacks.constructs.logs import log_group
from stacks.constructs.roles import workflow_role
from stacks.constructs.state_machine import Machine, state_machine
from stacks.grants.workflow import Callees, workflow_statements

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_stepfunctions as stepfunctions

    from modelwright.config.environment import EnvironmentSettings
    from stacks.pipeline.building import Building, Workers


@dataclass(frozen=True)
class LoggedMachine:
    """The state machine, and where it writes."""

    machine: stepfunctions.CfnStateMachine
    log_group: logs.CfnLogGroup

    @property
    def arn(self) -> str:
        """The ARN of the state machine."""
        return self.machine.ref


def logged_machine(building: Building, workers: Workers) -> LoggedMachine:
    """Make the state machine with its log group and its role."""
    name, days = building.names.state_machine_log_group, building.settings.logs.retention_days
    group = log_group(building.stack, "StateMachineLog", building.shared.key_arn, days, name)
    role = _role(building, workers)
    machine = Machine(
        building.names,
        building.structure,
        role,
        group,
        _substitutions(building, workers),
        _surroundings(building.settings, own_key=building.shared.key_arn is not None),
    )
    return LoggedMachine(state_machine(building.stack, machine), group)


def _role(building: Building, workers: Workers) -> iam.CfnRole:
    roles = workers.job_roles
    callees = Callees(
        tuple(function.attr_arn for function in workers.functions.values()),
        (roles["Processing"].attr_arn, roles["Training"].attr_arn),
        roles["Hosting"].attr_arn if "Hosting" in roles else None,
        workers.image.project_arn if workers.image else None,
    )
    return workflow_role(
        building.stack,
        "StateMachineRole",
        f"The state machine of {building.target.pipeline}",
        workflow_statements(building.target, callees, building.structure),
    )


def _substitutions(building: Building, workers: Workers) -> dict[str, str]:
    return {
        **{f"{name}RoleArn": role.attr_arn for name, role in workers.job_roles.items() if name != "Batch"},
        **{placeholder: function.attr_arn for placeholder, function in workers.functions.items()},
        **building.key,
        "TableName": building.shared.table_name,
        "TopicArn": building.shared.topic_arn,
        "ModelPackageGroupName": building.names.prefix,
        **_of_the_image(workers),
        **_of_the_endpoint(building, workers),
    }


def _of_the_image(workers: Workers) -> dict[str, str]:
    if workers.image is None:
        return {}
    return {
        "ServingImageHash": workers.image.content_hash,
        "ServingImageProject": workers.image.project_name,
        "ServingImageRepository": workers.image.repository_uri,
    }


def _of_the_endpoint(building: Building, workers: Workers) -> dict[str, str]:
    watched, answers = workers.endpoint_alarms, workers.answers
    found = {"EndpointName": building.names.prefix} if watched else {}
    if watched and building.structure.endpoint != UNGUARDED:
        found["EndpointErrorAlarmName"] = watched.errors.ref
        found["EndpointLatencyAlarmName"] = watched.latency.ref
    return {**found, "AnswersTopicArn": answers.ref} if answers else found


def _surroundings(settings: EnvironmentSettings, *, own_key: bool) -> Surroundings:
    vpc = settings.vpc
    limits = Limits(
        deployment_seconds=settings.limits.max_wait_for_endpoint_seconds,
        lease_wait_seconds=settings.limits.lease_seconds + LEASE_MARGIN_SECONDS,
    )
    network = Network(vpc.subnets, vpc.security_groups) if vpc else None
    return Surroundings(settings.name, limits, settings.tags, own_key=own_key, network=network)
