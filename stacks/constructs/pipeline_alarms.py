"""What somebody has to hear of about the runs of one pipeline.

No alarm: an execution that was aborted (a person did it), a model that misses its gate by less than the champion (the
run's own message says so), a notification that the topic could not deliver (it would go the same way). What each alarm
costs, and why there are not more, is in docs/alarms.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Fn

from modelwright.config.schedule_gap import longest_gap_days
from stacks.constructs.alarms import (
    MINUTE_SECONDS,
    PERIODS_A_DAY,
    SIX_HOURS_SECONDS,
    Alarms,
    Level,
    Metric,
    Says,
    command,
)
from stacks.grants.functions import METRIC_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import aws_events as events

    from stacks.names import PipelineNames

MOST_DAYS = 7
"""CloudWatch looks back no further: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
FLOORS_MISSED = "GateFloorsMissed"
"""How many `metric >= number` of the gate a model missed; the Lambda check_quality_gate publishes it for each model."""


def execution_alarms(alarms: Alarms, names: PipelineNames, state_machine_arn: str) -> None:
    """Make an alarm for each way that an execution can go wrong. A rejected model is none: it succeeds.

    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    """
    pipeline, last = names.pipeline, f"{_runs(names)} and {command(names.environment, 'show RUN')}"
    says = {
        "ExecutionsFailed": Says(f"A run of {pipeline} failed.", f"see which one and why with {last}."),
        "ExecutionsTimedOut": Says(
            f"A run of {pipeline} took too long and was ended.",
            f"see in which state it was with {last}; a job may need a larger instance or more of max_runtime_seconds.",
        ),
        "ExecutionThrottled": Says(
            f"Step Functions delays the runs of {pipeline}: the account's quota of state transitions is used up.",
            "nothing if it is rare, the run goes on; else ask for more in Service Quotas, AWS Step Functions.",
        ),
    }
    for name, said in says.items():
        alarms.on(f"{name}Alarm", said, Metric("AWS/States", name, {"StateMachineArn": state_machine_arn}))


def rest_alarm(alarms: Alarms, names: PipelineNames, measuring: str, schedule: str | None, days: int) -> None:
    """Make the alarm of a scheduled pipeline that no model was trained and measured for `days`.

    Counted is the function that measures each trained model, for an execution also succeeds that only found out that it
    was a duplicate. A pipeline without a schedule rests as long as nobody merges. One whose schedule leaves more than a
    week between two runs cannot be watched like this. `days` is raised to what the schedule leaves.

    Periods of six hours: where data is missing CloudWatch looks two periods further back, here half a day.
    No data is what is asked for, so it counts as breaching: the alarm also goes off before the first run.
    """
    gap = longest_gap_days(schedule) if schedule else None
    if gap is None or gap > MOST_DAYS:
        return
    days = max(days, gap)
    says = Says(
        f"No model of {names.pipeline} was trained in the last {days} days, though its schedule is {schedule}.",
        f"see its last runs with {_runs(names)}; start one with {_run(names)}. "
        "After a first deploy that is all: nothing has run yet.",
    )
    named = {
        name.lower(): Metric("AWS/Lambda", name, {"FunctionName": measuring}) for name in ("Invocations", "Errors")
    }
    level = Level("Sum", 1, SIX_HOURS_SECONDS, PERIODS_A_DAY * days, too_little=True, missing="breaching")
    alarms.on_expression("NoModelTrainedAlarm", says, "invocations - errors", named, level)


def function_alarms(
    alarms: Alarms, names: PipelineNames, functions: Iterable[str], never_refuse: Iterable[str]
) -> None:
    """Make one alarm for any of the functions that was throttled, and one for errors in those that `never_refuse`.

    The others also raise at what a person can put right (a release that is not there, a metric that is missing): Lambda
    counts that like a defect, and the run's own failure tells it already.
    """
    errors = Says(
        f"A function of {names.pipeline} broke.",
        f"see in which run with {_runs(names)}, and what it said with {command(names.environment, 'logs RUN')}.",
    )
    throttles = Says(
        f"Lambda refused to start functions of {names.pipeline}: the account's concurrent executions are used up.",
        "nothing if it is rare, it is tried again; else ask for more in Service Quotas, AWS Lambda.",
    )
    for name, says, watched in (("Errors", errors, never_refuse), ("Throttles", throttles, functions)):
        metrics = [Metric("AWS/Lambda", name, {"FunctionName": function}) for function in watched]
        alarms.on_sum(f"Function{name}Alarm", says, metrics)


def rule_alarm(alarms: Alarms, names: PipelineNames, rules: Iterable[events.CfnRule]) -> None:
    """Make the alarm of an event that started nothing, whether or not the dead-letter queue took it.

    The queue's own alarm stays on as long as a message lies in it, and is silent about the next. EventBridge sends the
    metric only when it is not 0. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    """
    says = Says(
        f"An event that should have started {names.pipeline} did not reach it.",
        f"read it in the dead-letter queue (local cloud: `modelwright inbox`), put its cause right, then start the run "
        f"with {_run(names)} or by sending the event again. It is lost if the queue did not take it.",
    )
    alarms.on_sum(
        "EventNotDeliveredAlarm", says, [Metric("AWS/Events", "FailedInvocations", _of_rule(rule)) for rule in rules]
    )


def _of_rule(rule: events.CfnRule) -> Mapping[str, str]:
    """Metrics of a rule on a bus of our own have its name, too. `Ref` of such a rule is `bus|rule`.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1131
    """
    if rule.event_bus_name in {None, "default"}:
        return {"RuleName": rule.ref}
    return {"EventBusName": str(rule.event_bus_name), "RuleName": Fn.select(2, Fn.split("/", rule.attr_arn))}


def model_alarms(alarms: Alarms, names: PipelineNames, floors: Mapping[str, float]) -> None:
    """Make the alarm of models under the floors of the gate, and one for each floor of the environment.

    The gate is in the release and may change with each merge, so the template knows no number of it: the function that
    judges a model publishes how many of the gate's floors it missed. `ignore`: between two models nothing changes, the
    last one's state stays. By the minute: of two models in one period the better one would not end the alarm.
    """
    dimensions = {"Environment": names.environment, "Pipeline": names.pipeline}
    to_do = (
        f"compare its metrics with those before it: {_runs(names)}; look at what is new in the data or in the code. "
        "What serves is unchanged if the gate refused it."
    )
    missed = Says(f"A model of {names.pipeline} is under a floor of its gate.", to_do)
    metric = Metric(METRIC_NAMESPACE, FLOORS_MISSED, dimensions)
    alarms.on(
        "ModelUnderGateFloorAlarm", missed, metric, Level("Maximum", period_seconds=MINUTE_SECONDS, missing="ignore")
    )
    for number, (name, floor) in enumerate(sorted(floors.items()), start=1):
        under = Says(f"{name} of a model of {names.pipeline} is under {floor:g}.", to_do)
        level = Level("Minimum", floor, MINUTE_SECONDS, too_little=True, missing="ignore")
        alarms.on(f"ModelUnderFloorAlarm{number}", under, Metric(METRIC_NAMESPACE, name, dimensions), level)


def _runs(names: PipelineNames) -> str:
    return command(names.environment, f"runs {names.pipeline}")


def _run(names: PipelineNames) -> str:
    return command(names.environment, f"run {names.pipeline}")
