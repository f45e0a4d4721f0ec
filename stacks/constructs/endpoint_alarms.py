"""What somebody has to hear of about an endpoint, and what sends an update of it back.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html

Per request SageMaker sends 1 or 0 of each kind of error, so a minute without data is one without requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.workflow.states_model import VARIANT
from stacks.constructs.alarms import MICROSECONDS_PER_MS, MINUTE_SECONDS, Alarms, Level, Metric, Says, command

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from modelwright.config.environment import AlarmSettings
    from stacks.names import PipelineNames

QUIET_REQUESTS = 20
"""Counted as answered well in every minute: one error on a quiet endpoint, such as a failed smoke test, is no alarm
and does not roll the next update back."""
FULL_PERCENT = 90
MANY = 1_000_000_000
"""Times the least percent of memory that an instance uses, more requests than an endpoint can have in five minutes."""


@dataclass(frozen=True)
class EndpointAlarms:
    """The two that also roll an update of the endpoint back."""

    errors: cloudwatch.CfnAlarm
    latency: cloudwatch.CfnAlarm


def endpoint_alarms(alarms: Alarms, names: PipelineNames, levels: AlarmSettings) -> EndpointAlarms:
    """Make the alarms of the endpoint: a model that answers badly, slowly or not at all, and callers that ask wrongly.

    Errors and latency roll an update back. They watch what all the endpoint's machines answer, those before the update
    too, so the state machine leaves out one that is on already. (Metrics of the new machines alone have the name of the
    endpoint's configuration, which is another one each run.)
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    made = EndpointAlarms(_errors(alarms, names, levels), _latency(alarms, names, levels))
    _refusals(alarms, names, levels)
    _without_instances(alarms, names)
    _full(alarms, names)
    return made


def _errors(alarms: Alarms, names: PipelineNames, levels: AlarmSettings) -> cloudwatch.CfnAlarm:
    """Two bad minutes of three: the newest minute's data may be incomplete, and one bad minute is no bad model."""
    says = Says(
        f"More than {levels.endpoint_error_percent:g} % of the answers of {names.prefix} are errors of the model "
        "(5xx).",
        f"read the model's log, /aws/sagemaker/Endpoints/{names.prefix} in CloudWatch Logs. {_back(names)}",
    )
    level = Level("Sum", levels.endpoint_error_percent, MINUTE_SECONDS, periods=3, needed=2)
    return _share(alarms, "EndpointErrorsAlarm", says, names=names, metric="Invocation5XXErrors", level=level)


def _refusals(alarms: Alarms, names: PipelineNames, levels: AlarmSettings) -> None:
    """Rolls nothing back: what callers send is not the model's fault, and a new caller would block every update."""
    says = Says(
        f"More than {levels.endpoint_4xx_percent:g} % of the answers of {names.prefix} say that the request is wrong "
        "(4xx).",
        f"find the caller; /aws/sagemaker/Endpoints/{names.prefix} in CloudWatch Logs says what is wrong. After a new "
        f"release: does inference.py still take what callers send? Try it: "
        f"{command(names.environment, f'predict {names.pipeline} --file ROWS.csv')}.",
    )
    level = Level("Sum", levels.endpoint_4xx_percent)
    _share(alarms, "EndpointWrongRequestsAlarm", says, names=names, metric="Invocation4XXErrors", level=level)


def _share(  # noqa: PLR0913 - an alarm, and what it is a share of
    alarms: Alarms, id_: str, says: Says, *, names: PipelineNames, metric: str, level: Level
) -> cloudwatch.CfnAlarm:
    named = {"errors": _invocation(names, metric), "requests": _invocation(names, "Invocations")}
    quiet = QUIET_REQUESTS * level.period_seconds // MINUTE_SECONDS
    return alarms.on_expression(id_, says, f"100 * errors / (requests + {quiet})", named, level)


def _latency(alarms: Alarms, names: PipelineNames, levels: AlarmSettings) -> cloudwatch.CfnAlarm:
    """Microseconds. A model's first request may be slow, so it takes two minutes of three.

    With less than 1000 requests a minute this is about the slowest one. CloudWatch could leave such minutes out
    (EvaluateLowSampleCountPercentile), but then a quiet endpoint would have no such alarm at all.
    """
    says = Says(
        f"One answer of {names.prefix} in a hundred takes more than {levels.endpoint_latency_ms} ms in the model.",
        "see on the dashboard since when: with more requests, raise deploy.instance_count or take a larger "
        f"deploy.instance. {_back(names)}",
    )
    threshold = levels.endpoint_latency_ms * MICROSECONDS_PER_MS
    level = Level("p99", threshold, MINUTE_SECONDS, periods=3, needed=2)
    return alarms.on("EndpointLatencyAlarm", says, _invocation(names, "ModelLatency"), level)


def _without_instances(alarms: Alarms, names: PipelineNames) -> None:
    """Requests come, and no instance says that it is there.

    Each instance reports its use of memory every minute, so no report is no instance. SageMaker has a metric of its
    own, NoCapacityInvocationFailures, for endpoints of inference components only, which may have none on purpose:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
    In metric math a missing value is 0 where another one has a value, so this is over 0 only without instances.
    """
    says = Says(
        f"{names.prefix} gets requests, and no instance of it is running.",
        f"see what the endpoint is with {command(names.environment, 'status')}; {_run(names)} makes it again.",
    )
    named = {"requests": _invocation(names, "Invocations"), "memory": _instance(names, "MemoryUtilization")}
    alarms.on_expression("EndpointWithoutInstanceAlarm", says, f"requests - {MANY} * memory", named)


def _full(alarms: Alarms, names: PipelineNames) -> None:
    """Before it stands still: memory that leaks, a disk that fills. For a quarter of an hour: loading a model is none.

    Not CPU: where it matters, the latency's alarm tells, and its scale differs with the number of cores.
    """
    says = Says(
        f"An instance of {names.prefix} has used more than {FULL_PERCENT} % of its memory or of its disk.",
        "see which on the dashboard; does inference.py keep what it need not? Else choose a larger deploy.instance, "
        f"then {_run(names)}.",
    )
    named = {"memory": _instance(names, "MemoryUtilization"), "disk": _instance(names, "DiskUtilization")}
    level = Level("Maximum", FULL_PERCENT, periods=3)
    alarms.on_expression("EndpointNearlyFullAlarm", says, "IF(memory > disk, memory, disk)", named, level)


def _invocation(names: PipelineNames, name: str) -> Metric:
    return Metric("AWS/SageMaker", name, _dimensions(names))


def _instance(names: PipelineNames, name: str) -> Metric:
    return Metric("/aws/sagemaker/Endpoints", name, _dimensions(names))


def _dimensions(names: PipelineNames) -> dict[str, str]:
    return {"EndpointName": names.prefix, "VariantName": VARIANT}


def _run(names: PipelineNames) -> str:
    return command(names.environment, f"run {names.pipeline}")


def _back(names: PipelineNames) -> str:
    return (
        f"If a new release is the cause, check out the one before and use {_run(names)}: "
        "an alarm that is on already rolls no update back."
    )
