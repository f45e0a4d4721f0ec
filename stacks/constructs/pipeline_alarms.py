"""What somebody has to hear of about one pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.workflow.states_model import VARIANT
from stacks.constructs.alarms import DAY_SECONDS, MICROSECONDS_PER_MS, MINUTE_SECONDS, Alarms, Level, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_cloudwatch as cloudwatch

    from modelwright.config.environment import AlarmSettings

_EXECUTIONS = {
    "ExecutionsFailed": "A run of {0} failed. See why: modelwright runs, then modelwright show RUN.",
    "ExecutionsTimedOut": "A run of {0} was ended because it took too long. See where: modelwright runs.",
    "ExecutionThrottled": "Step Functions delays runs of {0}: the account's quota of state transitions is used up.",
}
"""https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html"""


QUIET_REQUESTS = 20
"""Counted as answered well in every minute: one error on a quiet endpoint, such as a failed smoke test, is no alarm
and does not roll the next update back."""


@dataclass(frozen=True)
class EndpointAlarms:
    """The two that also roll an update of the endpoint back."""

    errors: cloudwatch.CfnAlarm
    latency: cloudwatch.CfnAlarm


def execution_alarms(alarms: Alarms, pipeline: str, state_machine_arn: str) -> None:
    """Make an alarm for each way that an execution can go wrong. A rejected model is none: it succeeds."""
    for name, what in _EXECUTIONS.items():
        metric = Metric("AWS/States", name, {"StateMachineArn": state_machine_arn})
        alarms.on(f"{name}Alarm", what.format(pipeline), metric)


def rest_alarm(alarms: Alarms, pipeline: str, state_machine_arn: str, days: int) -> None:
    """Make the alarm of a scheduled pipeline that no run of succeeded for `days`; it also goes off before the first."""
    what = f"No run of {pipeline} has succeeded in the last {days} days, though it is scheduled. See: modelwright runs."
    metric = Metric("AWS/States", "ExecutionsSucceeded", {"StateMachineArn": state_machine_arn})
    alarms.on("RestAlarm", what, metric, Level("Sum", 1, DAY_SECONDS, periods=days, too_little=True))


def function_alarms(alarms: Alarms, pipeline: str, functions: Iterable[str], never_refuse: Iterable[str]) -> None:
    """Make one alarm for any of the functions that was throttled, and one for errors in those that `never_refuse`.

    The others also raise at what a person can put right (a release that is not there, a metric that is missing): Lambda
    counts that like a defect, and the run's own failure tells it already.
    """
    texts = {
        "Errors": f"A function of {pipeline} broke. See which and why: modelwright runs, then modelwright logs RUN.",
        "Throttles": f"Lambda refused calls of {pipeline}: the account's concurrent executions are used up.",
    }
    for name, watched in (("Errors", never_refuse), ("Throttles", functions)):
        metrics = [Metric("AWS/Lambda", name, {"FunctionName": function}) for function in watched]
        if metrics:
            alarms.on_sum(f"Function{name}Alarm", texts[name], metrics)


def endpoint_alarms(alarms: Alarms, pipeline: str, endpoint: str, levels: AlarmSettings) -> EndpointAlarms:
    """Make the alarms of the endpoint: a model that answers badly or slowly. Latency is in microseconds.

    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT}
    named = {
        "errors": Metric("AWS/SageMaker", "Invocation5XXErrors", dimensions),
        "requests": Metric("AWS/SageMaker", "Invocations", dimensions),
    }
    errors = alarms.on_expression(
        "EndpointErrorAlarm",
        f"More than {levels.endpoint_error_percent:g} % of the answers of {endpoint} are errors of the model. "
        f"See its log, and go back to an earlier release of {pipeline} if needed.",
        f"100 * FILL(errors, 0) / (FILL(requests, 0) + {QUIET_REQUESTS})",
        named,
        Level(threshold=levels.endpoint_error_percent, period_seconds=MINUTE_SECONDS),
    )
    latency = alarms.on(
        "EndpointLatencyAlarm",
        f"One answer of {endpoint} in a hundred takes more than {levels.endpoint_latency_ms} ms in the model.",
        Metric("AWS/SageMaker", "ModelLatency", dimensions),
        Level("p99", levels.endpoint_latency_ms * MICROSECONDS_PER_MS, MINUTE_SECONDS, periods=2),
    )
    return EndpointAlarms(errors, latency)
