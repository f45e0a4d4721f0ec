"""What of a pipeline can be deleted and made again: its state machine with all that it needs to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events

from modelwright.workflow.functions import functions
from modelwright.workflow.functions_training import RECORD_METRICS
from modelwright.workflow.structure import LEASE_MARGIN_SECONDS, UNGUARDED, Limits, Network, Surroundings
from stacks.constructs.alarms import Alarms
from stacks.constructs.answers_topic import answers_topic
from stacks.constructs.api_alarms import api_alarms
from stacks.constructs.dashboard import Page, dashboard
from stacks.constructs.data_trigger import Counting, count_new_records, counting_alarm, marker_rule, watched_data
from stacks.constructs.endpoint_alarms import EndpointAlarms, endpoint_alarms
from stacks.constructs.expiry import Expiry, expire_endpoint
from stacks.constructs.functions import FunctionContext, Functions
from stacks.constructs.github import branch_role, find_the_stack, trust_in_branch
from stacks.constructs.logs import log_group
from stacks.constructs.merge_codecommit import EVENT_PATH, Merges, merge_alarm, merge_from_codecommit
from stacks.constructs.pipeline_alarms import (
    execution_alarms,
    function_alarms,
    model_alarms,
    rest_alarm,
    rule_alarm,
)
from stacks.constructs.rest_api import rest_api
from stacks.constructs.roles import HOSTING, JOBS, job_role, rule_role, workflow_role
from stacks.constructs.run_closing import close_runs, closing_alarm
from stacks.constructs.serving_image import ServingImage, serving_image
from stacks.constructs.state_machine import Machine, state_machine
from stacks.constructs.triggers import Start, merge_rule, schedule_rule
from stacks.grants import jobs
from stacks.grants.guards import Guards
from stacks.grants.publishing import publishing
from stacks.grants.serving_image import repository_arn
from stacks.grants.target import Target
from stacks.grants.workflow import Callees, rule_statements, watch_alarms, workflow_statements
from stacks.images import image_repositories
from stacks.names import PipelineNames
from stacks.shared import read_shared

if TYPE_CHECKING:
    from aws_cdk import Environment
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as stepfunctions
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.structure import PipelineStructure
    from modelwright.workflow.function import Function


class PipelineStack(Stack):
    """One pipeline: roles, functions, state machine, triggers, alarms, dashboard; its outputs are how it is found."""

    def __init__(
        self, scope: Construct, settings: EnvironmentSettings, structure: PipelineStructure, env: Environment
    ) -> None:
        """Make the stack of the pipeline with this `structure` in the environment with these `settings`."""
        self._names = PipelineNames(settings.name, structure.pipeline)
        super().__init__(
            scope,
            self._names.stack,
            env=env,
            description=f"modelwright {settings.name}: the pipeline {structure.pipeline}",
        )
        self._settings = settings
        self._structure = structure
        self._shared = read_shared(self, settings.name, own_key=settings.key == "customer-managed")
        images = image_repositories(settings.region, self._names.prefix)
        serving = (repository_arn(settings.name),) if structure.compiled else ()
        guards = Guards.of(settings, self._shared.key_arn)
        self._target = Target(self._names, self._shared, structure.external_data, images, guards, serving)
        self._alarms = Alarms(self, self._shared.topic_arn)
        self._build()

    @property
    def _has_endpoint(self) -> bool:
        return self._structure.endpoint != "none"

    def _build(self) -> None:
        watched = self._endpoint_alarms()
        queued = self._structure.endpoint == "async"
        self._answers = answers_topic(self, self._shared.key_arn) if queued else None
        job_roles = self._job_roles(watched)
        made = self._functions()
        self._image = self._serving_image()
        machine = self._state_machine(job_roles, made, watched)
        self._triggers(machine)
        self._run_alarms(machine, made)
        self._closing(machine)
        self._expiry()
        self._api()
        dashboard(self, self._page(machine))
        self._outputs(machine, job_roles)

    def _job_roles(self, watched: EndpointAlarms | None) -> dict[str, iam.CfnRole]:
        """Make the roles that SageMaker takes, by what it does with them."""
        processing = jobs.processing(self._target, compiled=self._structure.compiled)
        grants = {"Processing": processing, "Training": jobs.training(self._target)}
        if watched:
            guards = () if self._structure.endpoint == UNGUARDED else (watch_alarms(),)
            topic = self._answers.ref if self._answers else None
            grants["Hosting"] = (*jobs.hosting(self._target, self._structure, topic), *guards)
        if self._structure.batch:
            grants["Batch"] = jobs.batch(self._target)
        return {
            name: job_role(
                self,
                f"{name}Role",
                f"SageMaker's {name.lower()} of {self._target.pipeline}",
                JOBS.get(name, HOSTING),
                statements,
            )
            for name, statements in grants.items()
        }

    def _functions(self) -> dict[str, lambda_.CfnFunction]:
        """Make the functions that this kind of pipeline needs, by the placeholders of their ARNs."""
        values = {
            "PIPELINE": self._structure.pipeline,
            "ENVIRONMENT": self._settings.name,
            "ARTIFACT_BUCKET": self._shared.artifact_bucket,
            "TABLE_NAME": self._shared.table_name,
            "KEY_ARN": self._shared.key_arn,
            "STRUCTURE": self._structure.digest(),
            "ENDPOINT_NAME": self._names.prefix,
            "LEASE_SECONDS": str(self._settings.limits.lease_seconds),
            "DATA_PREFIX": watched_data(self._structure, self._shared).uri,
            "MAX_RUNS_PER_DAY": str(self._settings.limits.max_runs_per_day or 0),
            "EVENT_BUS_NAME": self._shared.event_bus_name,
            "TOPIC_ARN": self._shared.topic_arn,
            "AUTHORIZATION": self._structure.api.authorization if self._structure.api else None,
            "SEVERAL_MODELS": "yes" if self._structure.endpoint == "multi-model" else None,
            "ERROR_PERCENT": f"{self._settings.alarms.endpoint_error_percent:g}",
            "LATENCY_MS": f"{self._settings.alarms.endpoint_latency_ms:g}",
        }
        self._maker = Functions(self, FunctionContext(self._target, values, self._settings.logs.retention_days))
        return {item.placeholder: self._maker.make(item) for item in self._states_functions()}

    def _states_functions(self) -> tuple[Function, ...]:
        structure = self._structure
        return functions(
            structure.endpoint,
            autoscaling=structure.autoscaling,
            shadow=structure.shadow,
            compiled=structure.compiled,
        )

    def _serving_image(self) -> ServingImage | None:
        if not self._structure.compiled:
            return None
        return serving_image(self, self._target, self._settings.logs.retention_days)

    def _endpoint_alarms(self) -> EndpointAlarms | None:
        if not self._has_endpoint:
            return None
        return endpoint_alarms(self._alarms, self._names, self._settings.alarms, self._structure)

    def _page(self, machine: stepfunctions.CfnStateMachine) -> Page:
        return Page(
            self._names,
            machine.ref,
            self._names.state_machine_log_group,
            tuple(self._alarms.made),
            self._settings.alarms,
            self._structure.endpoint,
            self._structure.variants,
        )

    def _run_alarms(self, machine: stepfunctions.CfnStateMachine, made: dict[str, lambda_.CfnFunction]) -> None:
        levels = self._settings.alarms
        execution_alarms(self._alarms, self._names, machine.ref)
        measuring = made[RECORD_METRICS.placeholder].ref
        rest_alarm(self._alarms, self._names, measuring, self._structure.schedule, levels.days_without_training)
        model_alarms(self._alarms, self._names, levels.metric_floors)
        never_refuse = [made[item.placeholder].ref for item in self._states_functions() if not item.refuses]
        function_alarms(self._alarms, self._names, [function.ref for function in made.values()], never_refuse)
        rules = [child for child in self.node.find_all() if isinstance(child, events.CfnRule)]
        rule_alarm(self._alarms, self._names, rules)

    def _state_machine(
        self,
        job_roles: dict[str, iam.CfnRole],
        made: dict[str, lambda_.CfnFunction],
        watched: EndpointAlarms | None,
    ) -> stepfunctions.CfnStateMachine:
        self._log_group = log_group(
            self,
            "StateMachineLog",
            self._shared.key_arn,
            self._settings.logs.retention_days,
            self._names.state_machine_log_group,
        )
        hosting = job_roles["Hosting"].attr_arn if "Hosting" in job_roles else None
        callees = Callees(
            tuple(function.attr_arn for function in made.values()),
            (job_roles["Processing"].attr_arn, job_roles["Training"].attr_arn),
            hosting,
            self._image.project_arn if self._image else None,
        )
        role = workflow_role(
            self,
            "StateMachineRole",
            f"The state machine of {self._target.pipeline}",
            workflow_statements(self._target, callees, self._structure),
        )
        substitutions = {
            **{f"{name}RoleArn": role.attr_arn for name, role in job_roles.items() if name != "Batch"},
            **{placeholder: function.attr_arn for placeholder, function in made.items()},
            **self._key(),
            "TableName": self._shared.table_name,
            "TopicArn": self._shared.topic_arn,
            "ModelPackageGroupName": self._names.prefix,
        }
        if self._image:
            substitutions["ServingImageHash"] = self._image.content_hash
            substitutions["ServingImageProject"] = self._image.project_name
            substitutions["ServingImageRepository"] = self._image.repository_uri
        if watched:
            substitutions["EndpointName"] = self._names.prefix
            if self._structure.endpoint != UNGUARDED:
                substitutions["EndpointErrorAlarmName"] = watched.errors.ref
                substitutions["EndpointLatencyAlarmName"] = watched.latency.ref
        if self._answers:
            substitutions["AnswersTopicArn"] = self._answers.ref
        limits = Limits(
            deployment_seconds=self._settings.limits.max_wait_for_endpoint_seconds,
            lease_wait_seconds=self._settings.limits.lease_seconds + LEASE_MARGIN_SECONDS,
        )
        machine = Machine(
            self._names,
            self._structure,
            role,
            self._log_group,
            substitutions,
            self._surroundings(limits),
        )
        return state_machine(self, machine)

    def _surroundings(self, limits: Limits) -> Surroundings:
        vpc = self._settings.vpc
        return Surroundings(
            self._settings.name,
            limits,
            self._settings.tags,
            own_key=self._shared.key_arn is not None,
            network=Network(vpc.subnets, vpc.security_groups) if vpc else None,
        )

    def _triggers(self, machine: stepfunctions.CfnStateMachine) -> None:
        role = rule_role(
            self, "RuleRole", f"The rules that start {self._structure.pipeline}", rule_statements(machine.ref)
        )
        start = Start(self._structure.pipeline, machine.ref, role.attr_arn, self._shared.dead_letter_queue_arn)
        repository, branch = self._structure.merge_codecommit, self._structure.merge_branch
        merge_rule(self, start, self._shared.event_bus_name, branch, EVENT_PATH if repository else "$.id")
        if repository:
            merges = Merges(self._target, repository, branch)
            function = merge_from_codecommit(self, self._maker, merges, self._settings)
            merge_alarm(self._alarms, self._structure.pipeline, function)
        if self._structure.schedule:
            schedule_rule(self, start, self._structure.schedule)
        self._data_triggers(start)
        if self._structure.merge_github:
            self._github_role(self._structure.merge_github)

    def _closing(self, machine: stepfunctions.CfnStateMachine) -> None:
        """Make what closes runs; after the alarms of what starts them, which are about all rules that do."""
        closing = close_runs(self, self._maker, self._target, machine.ref, has_endpoint=self._has_endpoint)
        closing_alarm(self._alarms, self._names, closing)

    def _expiry(self) -> None:
        """Make what deletes the endpoint when nobody has deployed to it for long."""
        if self._structure.ttl_hours:
            expiry = Expiry(self._structure.ttl_hours, self._structure.autoscaling)
            expire_endpoint(self, self._maker, self._target, self._alarms, expiry)

    def _api(self) -> None:
        """Make the REST API in front of the endpoint, where the pipeline asks for one."""
        if self._structure.api:
            logs = (self._shared.key_arn, self._settings.logs.retention_days)
            rest_api(self, self._maker, self._names, self._structure.api, logs)
            api_alarms(self._alarms, self._names, self._settings.alarms)

    def _data_triggers(self, start: Start) -> None:
        where = watched_data(self._structure, self._shared)
        if self._structure.data_marker:
            marker_rule(self, start, where, self._structure.data_marker)
        if self._structure.data_every_records:
            counting = Counting(self._target, where, self._structure.data_every_records, start.state_machine_arn)
            function = count_new_records(self, self._maker, counting)
            counting_alarm(self._alarms, self._structure.pipeline, function)

    def _github_role(self, repository: str) -> None:
        """Make the role with which the repository's workflow publishes what was merged, and say how it is found."""
        branch = self._structure.merge_branch
        what = f"GitHub's workflow that publishes {self._target.pipeline}: {repository}, {branch}"
        statements = (find_the_stack(self._target), *publishing(self._target))
        role = branch_role(self, "GitHubRole", what, trust_in_branch(repository, branch), statements)
        CfnOutput(self, "GitHubRoleArn", value=role.attr_arn)

    def _key(self) -> dict[str, str]:
        return {"KeyArn": self._shared.key_arn} if self._shared.key_arn else {}

    def _outputs(self, machine: stepfunctions.CfnStateMachine, job_roles: dict[str, iam.CfnRole]) -> None:
        values = {
            "StateMachineArn": machine.ref,
            "EndpointName": self._names.prefix,
            "ModelPackageGroupName": self._names.prefix,
            "DataBucketName": self._shared.data_bucket,
            "ArtifactBucketName": self._shared.artifact_bucket,
            "TableName": self._shared.table_name,
            "EventBusName": self._shared.event_bus_name,
            "TopicArn": self._shared.topic_arn,
            "StateMachineLogGroup": self._log_group.ref,
            "Structure": self._structure.digest(),
            **self._key(),
            **({"AnswersTopicArn": self._answers.ref} if self._answers else {}),
            **({"EndpointTtlHours": str(self._structure.ttl_hours)} if self._structure.ttl_hours else {}),
            **({"BatchRoleArn": job_roles["Batch"].attr_arn} if "Batch" in job_roles else {}),
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)
