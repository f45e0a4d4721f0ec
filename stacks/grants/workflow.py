"""What the state machine may do: each of its tasks' calls, on what belongs to its pipeline.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html (IAM policies)
A contract test derives the calls from the definition and compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.workflow.states_compile import CONVERT_STEP
from modelwright.workflow.structure import UNGUARDED
from stacks.grants.functions import send_traces
from stacks.grants.jobs import lend_key
from stacks.grants.serving_image import BUILD_RULE, having_built
from stacks.grants.target import Target, via
from stacks.policies import NO_RESOURCE, Statement, arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.config.structure import PipelineStructure

_PER_RUN = "each run's model and configuration has its own name"
_KINDS = ("Processing", "Training")


@dataclass(frozen=True)
class Callees:
    """What the state machine hands on to: ARNs of functions, and of the roles of jobs and models."""

    functions: tuple[str, ...]
    job_roles: tuple[str, ...]
    hosting_role: str | None
    """None when the pipeline has no endpoint."""
    build_project: str | None = None
    """The ARN of the CodeBuild project of our images; None where AWS's image serves."""


def workflow_statements(target: Target, callees: Callees, structure: PipelineStructure) -> tuple[Statement, ...]:
    """Return the policy of the state machine's role."""
    return (
        Statement("CallFunctions", ("lambda:InvokeFunction",), callees.functions),
        *_jobs(target, compiled=structure.compiled, builds=callees.build_project is not None),
        *(having_built(target, callees.build_project) if callees.build_project else ()),
        *_registry(target),
        *(_endpoint(target, structure) if callees.hosting_role else ()),
        _pass_roles(callees),
        *target.guards.denials(),
        *_table_and_topic(target),
        *_observation(),
    )


def rule_statements(state_machine_arn: str) -> tuple[Statement, ...]:
    """Return the policy of the role that the rules start executions with."""
    return (Statement("StartExecutions", ("states:StartExecution",), (state_machine_arn,)),)


def _jobs(target: Target, *, compiled: bool, builds: bool) -> Iterator[Statement]:
    """Start, watch and stop jobs and builds; `.sync` hears of their end by rules that Step Functions manages.

    Of both kinds at once, as each action is about its own kind only: a role's policies have 10,240 characters at most.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    steps = ("process", "evaluate", *((CONVERT_STEP,) if compiled else ()))
    named = (*target.jobs("processing-job", *steps), *target.jobs("training-job", "train"))
    why = "each attempt has its own name"
    start = tuple(f"sagemaker:Create{kind}Job" for kind in _KINDS)
    verbs = tuple(f"sagemaker:{verb}{kind}Job" for kind in _KINDS for verb in ("Describe", "Stop"))
    yield Statement("StartJobs", start, named, target.guards.jobs(), why=why)
    yield Statement("RunJobs", (*verbs, "sagemaker:AddTags", "sagemaker:ListTags"), named, why=why)
    rules = [f"StepFunctionsGetEventsForSageMaker{kind}JobsRule" for kind in _KINDS]
    rules += [BUILD_RULE] if builds else []
    heard = ("events:DescribeRule", "events:PutRule", "events:PutTargets")
    yield Statement("HearOfJobs", heard, tuple(arn("events", f"rule/{name}") for name in rules))


def _registry(target: Target) -> tuple[Statement, ...]:
    packages = (target.package_group, target.packages)
    return (Statement("RegisterModels", ("sagemaker:CreateModelPackage",), packages, why="AWS numbers the versions"),)


def _endpoint(target: Target, structure: PipelineStructure) -> tuple[Statement, ...]:
    """Make models and configurations of runs, and the one endpoint; as of jobs, each action is about its own kind.

    With a shadow, what the champion is served with is read, too, and made again.
    """
    model, config = target.per_run("model"), target.per_run("endpoint-config")
    reading = ("sagemaker:DescribeEndpointConfig",) if structure.shadow else ()
    verbs = tuple(f"sagemaker:{verb}Endpoint" for verb in ("Create", "Update", "Delete", "Describe"))
    deploying = ("sagemaker:CreateModel", *verbs, *reading, "sagemaker:AddTags")
    volumes = target.guards.volumes()
    return (
        Statement("MakeEndpointConfigs", ("sagemaker:CreateEndpointConfig",), (config,), volumes, why=_PER_RUN),
        Statement("Deploy", deploying, (model, config, target.endpoint), why=_PER_RUN),
        *(() if structure.endpoint == UNGUARDED else (*lend_key(target), watch_alarms())),
    )


def watch_alarms() -> Statement:
    """Look at the alarms that roll an update back.

    AWS asks it of "your IAM execution role", which may be the model's or that of whoever updates: both have it.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    On all alarms: what is not asked by name is checked against `alarm:*`, and how SageMaker asks is not said.
    https://github.com/aws-samples/amazon-cloudwatch-auto-alarms/issues/1
    """
    why = "descriptions that are not by name are checked against all alarms"
    return Statement("WatchRollbackAlarms", ("cloudwatch:DescribeAlarms",), (arn("cloudwatch", "alarm:*"),), why=why)


def _pass_roles(callees: Callees) -> Statement:
    roles = (*callees.job_roles, *((callees.hosting_role,) if callees.hosting_role else ()))
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return Statement("HandRolesToSageMaker", ("iam:PassRole",), roles, to_sagemaker)


def _table_and_topic(target: Target) -> tuple[Statement, ...]:
    return (
        Statement("RecordRuns", ("dynamodb:UpdateItem",), (target.table,)),
        *target.use_key("DecryptTheTable", "kms:Decrypt", conditions=via("dynamodb")),
        Statement("Tell", ("sns:Publish",), (target.shared.topic_arn,)),
        *target.use_key("EncryptMessages", "kms:Decrypt", "kms:GenerateDataKey", conditions=via("sns")),
    )


def _observation() -> tuple[Statement, ...]:
    """Logs and traces: none of these actions knows a resource.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
    """
    delivery = (
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    )
    sampling = ("xray:GetSamplingRules", "xray:GetSamplingTargets")
    return (
        Statement("DeliverLogs", delivery, ("*",), why=NO_RESOURCE),
        send_traces(),
        Statement("SampleTraces", sampling, ("*",), why=NO_RESOURCE),
    )
