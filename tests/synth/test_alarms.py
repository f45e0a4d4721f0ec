"""What the alarms watch, at which level, and what they say; tests/local/alarms fires each of them."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from alarm_watch import (
    GATE_FLOORS,
    INSTANCES,
    LATENCY,
    REFUSALS,
    REST,
    RULE,
    SERVER_ERRORS,
    expression_of,
    metrics_of,
    the_alarm,
)
from aws_cdk import App
from aws_cdk import Stack as CdkStack
from template_queries import Stack, read_stack, read_stacks

from modelwright.config import load_project
from modelwright.local.monitoring.expressions import evaluate
from prepare_run import hosting
from stacks.constructs.alarms import TO_DO, Alarms, Metric, Says
from stacks.constructs.pipeline_alarms import model_alarms, rest_alarm
from stacks.names import PipelineNames

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.config import Project

MACHINE = "AWS::StepFunctions::StateMachine"


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-penguins")


def alarm_of(stack: Stack, metrics: frozenset[str]) -> dict[str, Any]:
    return dict(the_alarm(stack.all("AWS::CloudWatch::Alarm").values(), metrics))


@pytest.fixture(scope="module")
def project(project_copy: Path) -> Project:
    return load_project(project_copy, "dev")


def test_every_alarm_tells_and_says_what_to_do(assembly: Path) -> None:
    for stack in read_stacks(assembly):
        for alarm in stack.all("AWS::CloudWatch::Alarm").values():
            assert alarm["AlarmActions"] in (["<Topic>"], ["<SharedTopicArn>"])
            assert "OKActions" not in alarm  # a new alarm would say that all is well
            what, _, to_do = alarm["AlarmDescription"].partition(TO_DO)
            assert what.endswith(".")
            assert len(to_do) > 40
            assert to_do.endswith(".")


def test_commands_in_alarms_are_commands(assembly: Path) -> None:
    """They ask the account that the message comes from."""
    for stack in read_stacks(assembly):
        for alarm in stack.all("AWS::CloudWatch::Alarm").values():
            for text in re.findall(r"`modelwright ([^`]+)`", alarm["AlarmDescription"]):
                name, *arguments = shlex.split(text)
                parser = argparse.ArgumentParser()
                importlib.import_module(f"modelwright.cli.commands.{name}").configure(parser)
                found = parser.parse_args(arguments)
                assert name == "inbox" or (found.aws and found.env == "dev"), text


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionThrottled"])
def test_an_execution_that_goes_wrong_is_told(stack: Stack, metric: str) -> None:
    machine, _ = stack.one(MACHINE)
    _, alarm = stack.one("AWS::CloudWatch::Alarm", MetricName=metric)
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": f"<{machine}>"}]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == ("Sum", 0, "GreaterThanThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


def watched_functions(stack: Stack, metric: str) -> set[str]:
    """The functions whose `metric` is summed up in an alarm, or in two."""
    watched = set()
    for alarm in stack.all("AWS::CloudWatch::Alarm").values():
        if metrics_of(alarm) == {metric}:
            stats = {query["Id"]: query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query}
            assert expression_of(alarm) == " + ".join(stats)
            watched |= {stat["Dimensions"][0]["Value"] for stat in stats.values()}
    return watched


def test_no_alarm_fills_in_what_has_not_arrived_yet(assembly: Path) -> None:
    """The newest minute would always have the value that was filled in: the alarm would never go off."""
    for stack in read_stacks(assembly):
        assert "FILL" not in json.dumps(list(stack.all("AWS::CloudWatch::Alarm").values()))


def test_throttling_of_every_function_is_told(stack: Stack) -> None:
    """Those that an event calls have alarms of their own."""
    made = {f"<{name}>" for name in stack.all("AWS::Lambda::Function")}
    assert watched_functions(stack, "Throttles") == made - {"<CloseRunFunction>"}


def test_errors_are_told_of_functions_that_never_refuse_what_a_person_gave(stack: Stack) -> None:
    """ReleaseNotFound and the like end the run, which is told as such: Lambda counts them like defects."""
    defects = {"AcquireDeployment", "WatchEndpoint", "PromoteModel", "RemoveOldModels", "RestoreEndpoint"}
    assert watched_functions(stack, "Errors") == {f"<{name}Function>" for name in defects}


def test_latency_is_compared_in_microseconds(stack: Stack, project: Project) -> None:
    _, alarm = stack.one("AWS::CloudWatch::Alarm", MetricName="ModelLatency")
    assert alarm["Threshold"] == project.environment.alarms.endpoint_latency_ms * 1000
    assert alarm["ExtendedStatistic"] == "p99"
    assert alarm["TreatMissingData"] == "notBreaching"


def test_an_update_is_rolled_back_by_the_endpoints_own_alarms(stack: Stack) -> None:
    substitutions = stack.machine()["DefinitionSubstitutions"]
    wanted = [{"Name": "EndpointName", "Value": "mw-dev-penguins"}, {"Name": "VariantName", "Value": "AllTraffic"}]
    for name, metrics in {"EndpointErrorAlarmName": SERVER_ERRORS, "EndpointLatencyAlarmName": LATENCY}.items():
        alarm = alarm_of(stack, metrics)
        logical_id, _ = stack.one("AWS::CloudWatch::Alarm", AlarmDescription=alarm["AlarmDescription"])
        assert substitutions[name] == f"<{logical_id}>"
        stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        assert all(watched["Dimensions"] == wanted for watched in stats or [alarm])


def test_one_bad_minute_rolls_nothing_back_and_bad_ones_do_within_the_time_that_is_waited(stack: Stack) -> None:
    """What a release waits for that says nothing of its own."""
    for metrics in (SERVER_ERRORS, LATENCY):
        alarm = alarm_of(stack, metrics)
        period = alarm.get("Period") or alarm["Metrics"][0]["MetricStat"]["Period"]
        assert 1 < alarm["DatapointsToAlarm"] < alarm["EvaluationPeriods"]  # the newest minute may come late
        assert hosting.routing(None)["WaitIntervalInSeconds"] >= (alarm["EvaluationPeriods"] + 1) * period


@pytest.mark.parametrize(
    ("errors", "requests", "alarmed"), [(0, 0, False), (1, 1, False), (2, 2, True), (5, 100, False), (7, 100, True)]
)
def test_one_error_on_a_quiet_endpoint_is_no_alarm(stack: Stack, errors: int, requests: int, *, alarmed: bool) -> None:
    alarm = alarm_of(stack, SERVER_ERRORS)
    assert alarm["Threshold"] == 5
    found = evaluate(expression_of(alarm), {"errors": {0.0: errors}, "requests": {0.0: requests}})[0.0]
    assert (found > alarm["Threshold"]) is alarmed


def test_wrong_requests_are_told_and_roll_nothing_back(stack: Stack, project: Project) -> None:
    alarm = alarm_of(stack, REFUSALS)
    assert alarm["Threshold"] == project.environment.alarms.endpoint_4xx_percent
    assert alarm["TreatMissingData"] == "notBreaching"
    logical_id, _ = stack.one("AWS::CloudWatch::Alarm", AlarmDescription=alarm["AlarmDescription"])
    assert f"<{logical_id}>" not in stack.machine()["DefinitionSubstitutions"].values()


def test_a_pipeline_that_rests_too_long_is_told(stack: Stack, project: Project) -> None:
    """Not by executions that succeeded: a duplicate or an unchanged merge is one, too, and trains nothing."""
    alarm = alarm_of(stack, REST)
    days = project.environment.alarms.days_without_training
    stats = [query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query]
    assert {stat["Metric"]["Dimensions"][0]["Value"] for stat in stats} == {"<RecordMetricsFunction>"}
    assert {stat["Period"] * alarm["EvaluationPeriods"] for stat in stats} == {days * 86400}
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching")
    assert evaluate(expression_of(alarm), {"invocations": {0.0: 2.0}, "errors": {0.0: 2.0}}) == {0.0: 0.0}


def test_an_event_that_starts_nothing_is_told_whatever_bus_it_was_on(stack: Stack) -> None:
    alarm = alarm_of(stack, RULE)
    watched = [query["MetricStat"]["Metric"]["Dimensions"] for query in alarm["Metrics"] if "MetricStat" in query]
    merge, _ = stack.one("AWS::Events::Rule", EventBusName="<SharedEventBusName>")
    name = {"Fn::Select": [2, {"Fn::Split": ["/", f"<{merge}.Arn>"]}]}  # Ref would be bus|rule
    own = [{"Name": "EventBusName", "Value": "<SharedEventBusName>"}, {"Name": "RuleName", "Value": name}]
    assert own in watched
    assert [{"Name": "RuleName", "Value": "<ScheduleRule>"}] in watched
    assert len(watched) == len(set(stack.all("AWS::Events::Rule")) - {"EndedRule"})  # that starts nothing


def test_a_model_under_a_floor_of_its_gate_is_told_and_stays_told(stack: Stack) -> None:
    alarm = alarm_of(stack, GATE_FLOORS)
    assert (alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Maximum", 0, "ignore")


def test_each_floor_of_the_environment_is_watched() -> None:
    made = Alarms(CdkStack(), "topic")
    model_alarms(made, PipelineNames("dev", "penguins"), {"f1": 0.5, "accuracy": 0.7})
    assert [(alarm.metric_name, alarm.threshold) for alarm in made.made[1:]] == [("accuracy", 0.7), ("f1", 0.5)]
    assert {(alarm.comparison_operator, alarm.statistic) for alarm in made.made[1:]} == {
        ("LessThanThreshold", "Minimum")
    }


@pytest.mark.parametrize(("requests", "memory", "alarmed"), [(5, None, True), (5, 0.1, False), (100_000, 5, False)])
def test_requests_without_an_instance_are_told(
    stack: Stack, requests: int, memory: float | None, *, alarmed: bool
) -> None:
    alarm = alarm_of(stack, INSTANCES)
    named = {"requests": {0.0: float(requests)}, "memory": {} if memory is None else {0.0: memory}}
    assert (evaluate(expression_of(alarm), named)[0.0] > alarm["Threshold"]) is alarmed


def test_a_schedule_that_leaves_more_than_a_week_cannot_be_watched_one_that_leaves_more_than_asked_can() -> None:
    days = {}
    for schedule in ("rate(8 days)", "cron(0 4 1 * ? *)", "rate(5 days)", "rate(1 hour)", None):
        made = Alarms(CdkStack(), "topic")
        rest_alarm(made, PipelineNames("dev", "penguins"), "measuring", schedule, 2)
        days[schedule] = [float(alarm.evaluation_periods or 0) / 4 for alarm in made.made]
    assert days == {
        "rate(8 days)": [],
        "cron(0 4 1 * ? *)": [],
        "rate(5 days)": [5],
        "rate(1 hour)": [2],
        None: [],
    }


def test_more_metrics_than_an_alarm_takes_are_watched_by_another_one() -> None:
    metrics = [Metric("AWS/Lambda", "Errors", {"FunctionName": str(number)}) for number in range(11)]
    made = Alarms(CdkStack(App()), "topic")
    made.on_sum("Many", Says("Too many.", "less."), metrics)
    assert [alarm.node.id for alarm in made.made] == ["Many", "Many2"]
    with pytest.raises(ValueError, match="has 11 metrics; CloudWatch takes at most 10"):
        made.on_expression("All", Says("Too many.", "less."), "m0", {f"m{n}": each for n, each in enumerate(metrics)})


def test_a_description_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="1024 are possible"):
        assert Says("What happened.", "x" * 1024).text
