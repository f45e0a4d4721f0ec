"""Updates while real requests come: a bad model goes back by the alarms' own definitions, and no request is lost."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest

from modelwright.client.endpoints.endpoint_traffic import Sample, by_configuration, sender
from modelwright.client.session import Endpoint, Session

RAISES = """
def model_fn(d): return None
def predict_fn(data, model): raise RuntimeError("broken")
"""
SLOW = """
import time
def model_fn(d): return None
def predict_fn(data, model):
    time.sleep(0.2)
    return [1.0 for _ in data]
"""
RATE = 30


def variant(model, count):
    return {"VariantName": "v0", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}


def config(hosting, count=2, **model):
    name = hosting.model(**model)
    hosting.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name, count)])
    return name


def serving(hosting):
    name = hosting.endpoint(config(hosting))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    return name


def metric(endpoint, name, statistic):
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "v0"}]
    stat = {"Metric": {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}, "Period": 60}
    return {"Id": name.lower(), "MetricStat": {**stat, "Stat": statistic}, "ReturnData": False}


def errors_alarm(hosting, endpoint):
    """As the template's: two bad minutes of three."""
    hosting.cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{endpoint}-errors",
        Metrics=[
            metric(endpoint, "Invocation5XXErrors", "Sum"),
            metric(endpoint, "Invocations", "Sum"),
            {"Id": "share", "Expression": "100 * invocation5xxerrors / (invocations + 20)"},
        ],
        ComparisonOperator="GreaterThanThreshold",
        Threshold=5,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        TreatMissingData="notBreaching",
    )
    return f"{endpoint}-errors"


def latency_alarm(hosting, endpoint):
    only = metric(endpoint, "ModelLatency", "p99")["MetricStat"]
    hosting.cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{endpoint}-latency",
        **only["Metric"],
        Period=60,
        ExtendedStatistic="p99",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=100_000,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        TreatMissingData="notBreaching",
    )
    return f"{endpoint}-latency"


def guarded(alarms, kind="CANARY", wait=3600, **size):
    """A bake of an hour, here 30 seconds: an alarm ends it, however busy the machine is."""
    sizes = {"CANARY": {"CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}} | size
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **sizes.get(kind, {})}
    half = {"Type": "CAPACITY_PERCENT", "Value": 50}
    policy = (
        {"RollingUpdatePolicy": {"MaximumBatchSize": half, "WaitIntervalInSeconds": wait}}
        if kind == "ROLLING"
        else {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    )
    return {**policy, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}}


@contextmanager
def traffic(hosting, endpoint, rate=RATE):
    """Requests to the endpoint, whose updates bake meanwhile."""
    cloud = hosting.cloud
    owner, since = cloud.callers.owner, cloud.clock.now()
    session = Session("us-east-1", lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))
    rehearsals = cloud.services["sagemaker"].endpoints.rehearsals
    found = sender(session, endpoint, Sample(b"1,2\n", "text/csv"), rate)
    found.served = lambda: {
        each.config: (each.requests, each.errors)
        for each in by_configuration(session, endpoint, since, cloud.clock.now() + timedelta(seconds=60))
    }
    rehearsals.begin(endpoint)
    found.start()
    try:
        yield found
    finally:
        found.finish()
        rehearsals.end(endpoint)
        cloud.services["sagemaker-runtime"].flush()


@pytest.fixture(autouse=True)
def short_minutes(cloud, monkeypatch):
    """A minute of half a second: what decides is the alarm, as with a longer one."""
    rehearsals = cloud.services["sagemaker"].endpoints.rehearsals
    monkeypatch.setattr(rehearsals, "minute_seconds", 0.5)


@pytest.mark.parametrize("kind", ["CANARY", "ALL_AT_ONCE", "ROLLING"])
def test_a_model_that_fails_goes_back_by_itself_and_no_request_is_lost(hosting, kind):
    name = serving(hosting)
    alarm, bad = errors_alarm(hosting, name), config(hosting, script=RAISES)
    before = hosting.client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    with traffic(hosting, name) as sent:
        hosting.client.update_endpoint(
            EndpointName=name, EndpointConfigName=bad, DeploymentConfig=guarded([alarm], kind)
        )
        found = hosting.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert f"The alarm {alarm} is in ALARM: Threshold Crossed" in found["FailureReason"]
    tally = sent.tally()
    assert (tally.kinds["lost"], tally.unanswered) == (0, 0), tally.losses
    assert tally.problems["the model's 500"] > 0
    served = sent.served()
    assert served[bad][0] == served[bad][1] == tally.kinds["error"]
    assert served.get(before, (0, 0)) == (tally.kinds["answered"], 0)  # a new one may serve before the first request


def test_a_model_that_is_slow_goes_back_by_itself(hosting):
    name = serving(hosting)
    alarm, bad = latency_alarm(hosting, name), config(hosting, script=SLOW)
    before = hosting.client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    with traffic(hosting, name, 10) as sent:
        hosting.client.update_endpoint(EndpointName=name, EndpointConfigName=bad, DeploymentConfig=guarded([alarm]))
        found = hosting.settled(name)
    assert (found["EndpointConfigName"], f"The alarm {alarm} is in ALARM" in found["FailureReason"]) == (before, True)
    assert sent.tally().kinds["answered"] == sent.tally().sent


@pytest.mark.parametrize("kind", ["CANARY", "LINEAR", "ALL_AT_ONCE", "ROLLING"])
def test_a_good_model_bakes_and_takes_over_and_no_request_is_lost(hosting, kind):
    name = serving(hosting)
    alarms, good = [errors_alarm(hosting, name)], config(hosting, factor=3)
    before = hosting.client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    deployment = guarded(alarms, kind, 60, LINEAR={"LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50}})
    with traffic(hosting, name) as sent:
        hosting.ask(name)  # so that the old one has served, however soon the new one does
        hosting.client.update_endpoint(EndpointName=name, EndpointConfigName=good, DeploymentConfig=deployment)
        found = hosting.settled(name)
        assert hosting.ask(name) == [9.0]
    assert (found["EndpointConfigName"], found["LastDeploymentConfig"]) == (good, deployment)
    tally, served = sent.tally(), sent.served()
    assert (tally.kinds["answered"], tally.kinds["lost"], tally.unanswered) == (tally.sent, 0, 0), tally.losses
    assert served[before][0] > 0
    assert served[good][0] > 0
    assert sum(requests for requests, _ in served.values()) >= tally.sent


def test_what_is_under_way_can_be_seen(hosting):
    name = serving(hosting)
    bad = config(hosting, script=RAISES)
    alarm = errors_alarm(hosting, name)
    seen = []
    store = hosting.cloud.services["sagemaker"].endpoints._store
    note = store.note

    def watch(record):
        note(record)
        seen.append(hosting.client.describe_endpoint(EndpointName=name))

    store.note = watch
    try:
        with traffic(hosting, name):
            hosting.client.update_endpoint(EndpointName=name, EndpointConfigName=bad, DeploymentConfig=guarded([alarm]))
            hosting.settled(name)
    finally:
        store.note = note
    pending = [each["PendingDeploymentSummary"] for each in seen]
    assert {each["EndpointConfigName"] for each in pending} == {bad}
    stages = [variant["VariantStatus"][0]["Status"] for each in pending for variant in each["ProductionVariants"]]
    assert stages[:2] == ["ActivatingTraffic", "Baking"]
