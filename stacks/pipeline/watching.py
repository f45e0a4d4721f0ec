"""What people are told of a pipeline: the alarms of its endpoint and its runs, and its dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_events as events

from modelwright.workflow.functions_training import RECORD_METRICS
from stacks.constructs import endpoint_alarms as of_endpoint
from stacks.constructs.dashboard import Page, dashboard
from stacks.constructs.pipeline_alarms import (
    execution_alarms,
    function_alarms,
    model_alarms,
    rest_alarm,
    rule_alarm,
)
from stacks.pipeline.functions import functions_of_states

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from stacks.pipeline.building import Building


def endpoint_alarms(building: Building) -> of_endpoint.EndpointAlarms | None:
    """Make the alarms of the endpoint, where the pipeline has one."""
    if not building.has_endpoint:
        return None
    return of_endpoint.endpoint_alarms(building.alarms, building.names, building.settings.alarms, building.structure)


def run_alarms(building: Building, machine_arn: str, made: dict[str, lambda_.CfnFunction]) -> None:
    """Make the alarms of runs, models, functions, and of the rules that are there so far: those that start runs."""
    alarms, names, levels = building.alarms, building.names, building.settings.alarms
    execution_alarms(alarms, names, machine_arn)
    measuring = made[RECORD_METRICS.placeholder].ref
    rest_alarm(alarms, names, measuring, building.structure.schedule, levels.days_without_training)
    model_alarms(alarms, names, levels.metric_floors)
    of_states = functions_of_states(building.structure)
    never_refuse = [made[item.placeholder].ref for item in of_states if not item.refuses]
    function_alarms(alarms, names, [function.ref for function in made.values()], never_refuse)
    rules = [child for child in building.stack.node.find_all() if isinstance(child, events.CfnRule)]
    rule_alarm(alarms, names, rules)


def pipeline_dashboard(building: Building, machine_arn: str) -> None:
    """Make the dashboard; after all alarms, which it shows."""
    page = Page(
        building.names,
        machine_arn,
        building.names.state_machine_log_group,
        tuple(building.alarms.made),
        building.settings.alarms,
        building.structure.endpoint,
        building.structure.variants,
    )
    dashboard(building.stack, page)
