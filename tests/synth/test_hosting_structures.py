"""What each way to host changes in the template: alarms, grants, a topic, a rule that ends an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, read_stack

from modelwright.config.environment import EnvironmentSettings
from modelwright.config.structure import PipelineStructure
from stacks.data_stack import DataStack
from stacks.pipeline_data_stack import PipelineDataStack
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

KINDS: dict[str, dict[str, Any]] = {
    "plain": {"endpoint": "realtime"},
    "fleets": {"endpoint": "realtime", "variants": ("One", "Two", "Three")},
    "many": {"endpoint": "realtime", "variants": tuple(f"V{number}" for number in range(10))},
    "small": {"endpoint": "serverless", "variants": (), "ttl_hours": 3},
    "queue": {"endpoint": "async", "autoscaling": True, "ttl_hours": 3},
    "several": {"endpoint": "multi-model"},
    "caught": {"endpoint": "realtime", "capture": True, "shadow": True},
}


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hosting")
    settings = EnvironmentSettings("dev", "eu-central-1")
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    env = Environment(account="123456789012", region=settings.region)
    DataStack(app, settings, env)
    for name, values in KINDS.items():
        PipelineDataStack(app, settings, name, env)
        structure = PipelineStructure(pipeline=name, merge_branch="main", schedule=None, external_data=None, **values)
        PipelineStack(app, settings, structure, env)
    app.synth()
    return folder


@pytest.fixture(scope="module")
def stacks(outdir: Path) -> dict[str, Stack]:
    return {name: read_stack(outdir, f"mw-dev-{name}") for name in KINDS}


def alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    """The endpoint's alarms by logical id."""
    return {name: found for name, found in stack.all("AWS::CloudWatch::Alarm").items() if name.startswith("Endpoint")}


ALWAYS = {"EndpointErrorsAlarm", "EndpointLatencyAlarm", "EndpointNearlyFullAlarm", "EndpointWrongRequestsAlarm"}


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("plain", {"EndpointWithoutInstanceAlarm"}),
        ("fleets", {"EndpointWithoutInstanceAlarm"}),
        ("several", {"EndpointWithoutInstanceAlarm"}),
        ("small", {"EndpointBusyAlarm", "EndpointNotExpiredAlarm"}),
        ("queue", {"EndpointQueueAlarm", "EndpointAnswerLostAlarm", "EndpointNotExpiredAlarm"}),
    ],
)
def test_alarms_are_those_of_the_kind(stacks: dict[str, Stack], name: str, more: set[str]) -> None:
    """A serverless endpoint and a queue may have no machine on purpose."""
    assert set(alarms(stacks[name])) == ALWAYS | more


@pytest.mark.parametrize("name", sorted(KINDS))
def test_an_alarm_has_at_most_ten_metrics_and_none_of_a_name_twice(stacks: dict[str, Stack], name: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html"""
    for properties in alarms(stacks[name]).values():
        queries = [query for query in properties.get("Metrics", []) if "MetricStat" in query]
        assert len(queries) <= 10
        assert len({query["Id"] for query in queries}) == len(queries)


def test_errors_and_latency_are_about_every_variant(stacks: dict[str, Stack]) -> None:
    for name in ("fleets", "many"):
        for alarm in ("EndpointErrorsAlarm", "EndpointLatencyAlarm"):
            text = str(alarms(stacks[name])[alarm])
            assert all(f"'Value': '{variant}'" in text for variant in KINDS[name]["variants"]), (name, alarm)


def test_a_queue_has_no_metric_that_asynchronous_endpoints_do_not_send(stacks: dict[str, Stack]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html"""
    assert "'MetricName': 'Invocations'" not in str(alarms(stacks["queue"]))


def test_nobody_lends_a_key_to_a_serverless_endpoint_or_looks_at_alarms_for_it(stacks: dict[str, Stack]) -> None:
    actions = stacks["small"].machine_role().actions()
    assert not {"kms:CreateGrant", "cloudwatch:DescribeAlarms"} & actions
    assert {"kms:CreateGrant", "cloudwatch:DescribeAlarms"} <= stacks["plain"].machine_role().actions()


def test_only_who_needs_it_may_scale(stacks: dict[str, Stack]) -> None:
    scaling = "application-autoscaling:RegisterScalableTarget"
    assert scaling in stacks["queue"].function_role("scale_endpoint").actions()
    assert scaling in stacks["queue"].function_role("restore_endpoint").actions()
    assert scaling not in stacks["plain"].function_role("restore_endpoint").actions()
    assert "scale_endpoint" not in stacks["plain"].functions()
    assert "judge_shadow" in stacks["caught"].functions()
    assert "judge_shadow" not in stacks["plain"].functions()


def test_callers_of_a_queue_are_told_on_a_topic_of_its_own(stacks: dict[str, Stack]) -> None:
    name, _ = stacks["queue"].one("AWS::SNS::Topic")
    assert stacks["queue"].machine()["DefinitionSubstitutions"]["AnswersTopicArn"] == f"<{name}>"
    assert not stacks["plain"].all("AWS::SNS::Topic")


def test_an_endpoint_with_a_time_to_live_is_looked_at_every_quarter_of_an_hour(stacks: dict[str, Stack]) -> None:
    _, rule = stacks["small"].one("AWS::Events::Rule", ScheduleExpression="rate(15 minutes)")
    assert rule["Targets"][0]["DeadLetterConfig"]
    variables = stacks["small"].functions()["expire_endpoint"]["Environment"]["Variables"]
    assert (variables["TTL_HOURS"], "SCALES" in variables) == ("3", False)
    assert stacks["queue"].functions()["expire_endpoint"]["Environment"]["Variables"]["SCALES"] == "yes"
    assert "expire_endpoint" not in stacks["plain"].functions()
