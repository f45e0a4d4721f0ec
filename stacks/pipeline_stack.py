"""What of a pipeline can be deleted and made again: its state machine with all that it needs to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack

from modelwright.workflow.serving_image import targets
from stacks.constructs.answers_topic import answers_topic
from stacks.constructs.api_alarms import api_alarms
from stacks.constructs.expiry import Expiry, expire_endpoint
from stacks.constructs.rest_api import rest_api
from stacks.constructs.run_closing import close_runs, closing_alarm
from stacks.constructs.serving_image import serving_image
from stacks.names import PipelineNames
from stacks.pipeline.building import Building, Workers, begin
from stacks.pipeline.functions import function_maker, functions_of_states
from stacks.pipeline.job_roles import job_roles
from stacks.pipeline.machine import logged_machine
from stacks.pipeline.outputs import outputs
from stacks.pipeline.starting import triggers
from stacks.pipeline.watching import endpoint_alarms, pipeline_dashboard, run_alarms

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.structure import PipelineStructure
    from stacks.constructs.functions import Functions


class PipelineStack(Stack):
    """One pipeline: roles, functions, state machine, triggers, alarms, dashboard; its outputs are how it is found."""

    def __init__(
        self, scope: Construct, settings: EnvironmentSettings, structure: PipelineStructure, env: Environment
    ) -> None:
        """Make the stack of the pipeline with this `structure` in the environment with these `settings`."""
        names = PipelineNames(settings.name, structure.pipeline)
        what = f"modelwright {settings.name}: the pipeline {structure.pipeline}"
        super().__init__(scope, names.stack, env=env, description=what)
        _build(begin(self, settings, structure, names))


def _build(building: Building) -> None:
    """Make all resources, in the order of the template."""
    workers, maker = _workers(building)
    made = logged_machine(building, workers)
    triggers(building, maker, made.arn)
    run_alarms(building, made.arn, workers.functions)
    _closing(building, maker, made.arn)
    _expiry(building, maker)
    _api(building, maker)
    pipeline_dashboard(building, made.arn)
    outputs(building, workers, made)


def _workers(building: Building) -> tuple[Workers, Functions]:
    """Make what the state machine sets to work, and return it with what makes further functions."""
    structure, shared = building.structure, building.shared
    watched = endpoint_alarms(building)
    answers = answers_topic(building.stack, shared.key_arn) if structure.endpoint == "async" else None
    roles = job_roles(building, answers)
    maker = function_maker(building)
    functions = {item.placeholder: maker.make(item) for item in functions_of_states(structure)}
    days = building.settings.logs.retention_days
    wanted = targets(compiled=structure.compiled)
    image = serving_image(building.stack, building.target, days, wanted) if structure.own_image else None
    return Workers(roles, functions, image, watched, answers), maker


def _closing(building: Building, maker: Functions, machine_arn: str) -> None:
    """Make what closes runs; after the alarms of what starts them, which are about all rules that do."""
    closing = close_runs(building.stack, maker, building.target, machine_arn, has_endpoint=building.has_endpoint)
    closing_alarm(building.alarms, building.names, closing)


def _expiry(building: Building, maker: Functions) -> None:
    """Make what deletes the endpoint when nobody has deployed to it for long."""
    if building.structure.ttl_hours:
        expiry = Expiry(building.structure.ttl_hours, building.structure.autoscaling)
        expire_endpoint(building.stack, maker, building.target, building.alarms, expiry)


def _api(building: Building, maker: Functions) -> None:
    """Make the REST API in front of the endpoint, where the pipeline asks for one."""
    if building.structure.api:
        logs = (building.shared.key_arn, building.settings.logs.retention_days)
        rest_api(building.stack, maker, building.names, building.structure.api, logs)
        api_alarms(building.alarms, building.names, building.settings.alarms)
