"""Endpoints that are made, updated, rolled back and deleted."""

from __future__ import annotations

import os
import threading

import pytest
from botocore.exceptions import ClientError

SLOW = """
import pathlib
def model_fn(d):
    with open(pathlib.Path(d, "gate.txt").read_text()) as gate:
        gate.read()
    return lambda data: "slow"
"""
WAITS = """
import pathlib
def model_fn(d): return pathlib.Path(d, "gate.txt").read_text()
def predict_fn(data, gate):
    with open(gate) as opened:
        return opened.read()
"""
MACHINE = "arn:aws:iam::123456789012:role/machine"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALARM = "too-many-errors"


@pytest.fixture
def gate(tmp_path):
    """A pipe: who opens it to read waits until somebody has opened it to write."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def update(hosting, name, config, **more):
    hosting.client.update_endpoint(EndpointName=name, EndpointConfigName=config, **more)
    return hosting.settled(name)


def test_what_is_described_is_what_was_asked_for(hosting):
    config = hosting.config(hosting.model())
    name = hosting.endpoint(config, Tags=[{"Key": "team", "Value": "birds"}])
    found = hosting.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
    described = hosting.client.describe_endpoint(EndpointName=name)
    assert described["EndpointArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    (variant,) = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"], variant["CurrentWeight"]) == ("v0", 1, 1.0)
    assert described["CreationTime"] <= described["LastModifiedTime"]
    assert hosting.client.list_tags(ResourceArn=described["EndpointArn"])["Tags"] == [{"Key": "team", "Value": "birds"}]


def test_an_update_replaces_the_model(hosting):
    name = hosting.in_service(factor=1)
    assert hosting.ask(name) == [3.0]
    config = hosting.config(hosting.model(factor=5))
    found = update(hosting, name, config)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
    assert hosting.ask(name) == [15.0]


def test_the_old_model_serves_while_the_new_one_is_loaded(hosting, archive, gate):
    name = hosting.in_service(factor=1)
    slow = hosting.config(hosting.model(archive({"gate.txt": str(gate), "code/inference.py": SLOW})))
    hosting.client.update_endpoint(EndpointName=name, EndpointConfigName=slow)
    found = hosting.client.describe_endpoint(EndpointName=name)
    assert (found["EndpointStatus"], found["EndpointConfigName"] != slow) == ("Updating", True)
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == slow
    assert hosting.ask(name) == [3.0]
    for call in (hosting.client.update_endpoint, lambda **_: hosting.client.delete_endpoint(EndpointName=name)):
        error = error_of(call, EndpointName=name, EndpointConfigName=slow)
        assert (error["Code"], "in-progress endpoint" in error["Message"]) == ("ValidationException", True)
    gate.write_text("go on")
    assert hosting.settled(name)["EndpointConfigName"] == slow
    assert hosting.ask(name) == "slow"


def test_a_state_machine_that_asks_is_answered_when_the_deployment_has_ended(hosting, archive, gate, monkeypatch):
    monkeypatch.setattr("modelwright.local.sagemaker.endpoints.service.HOLD_SECONDS", 30)
    statement = {"Effect": "Allow", "Action": "sagemaker:DescribeEndpoint", "Resource": "*"}
    hosting.cloud.iam.put_role(MACHINE, TRUST, {"machine": {"Version": "2012-10-17", "Statement": [statement]}})
    name = hosting.endpoint(hosting.config(hosting.model(archive({"gate.txt": str(gate), "code/inference.py": SLOW}))))
    opening = threading.Thread(target=lambda: gate.write_text("go on"))
    opening.start()
    machine = hosting.cloud.client("sagemaker", MACHINE, via="states.amazonaws.com")
    assert machine.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    opening.join(120)


def test_an_update_that_fails_leaves_what_served(hosting):
    name = hosting.in_service(factor=2)
    before = hosting.client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    found = update(hosting, name, hosting.config(hosting.model(script="x = 1")))
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert "has no model_fn" in found["FailureReason"]
    assert hosting.ask(name) == [6.0]
    assert "FailureReason" not in update(hosting, name, hosting.config(hosting.model(factor=3)))
    assert hosting.ask(name) == [9.0]


def test_a_request_that_is_under_way_survives_the_update(hosting, archive, gate):
    model = hosting.model(archive({"gate.txt": str(gate), "code/inference.py": WAITS}))
    name = hosting.endpoint(hosting.config(model))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    answers = []
    asking = threading.Thread(target=lambda: answers.append(hosting.ask(name)))
    asking.start()
    with gate.open("w") as opened:  # opens when predict_fn has opened it: the request is inside the old server
        update(hosting, name, hosting.config(hosting.model(factor=7)))
        assert hosting.ask(name) == [21.0]
        opened.write("from the old one")
    asking.join(120)
    assert answers == ["from the old one"]


def test_an_alarm_sends_the_traffic_back(hosting):
    name = hosting.in_service(factor=1)
    before = hosting.client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    alarm(hosting, "ALARM")
    found = update(hosting, name, hosting.config(hosting.model(factor=9)), DeploymentConfig=blue_green())
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert f"The alarm {ALARM} is in ALARM: because" in found["FailureReason"]
    assert hosting.ask(name) == [3.0]
    alarm(hosting, "OK")
    found = update(hosting, name, hosting.config(hosting.model(factor=9)), DeploymentConfig=blue_green())
    assert ("FailureReason" in found, hosting.ask(name)) == (False, [27.0])
    assert found["LastDeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": ALARM}]}


def test_an_alarm_that_is_not_there_or_may_not_be_read_stops_the_update(hosting, role_without):
    name = hosting.in_service()
    config = blue_green()
    config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "nobody"}]}
    found = update(hosting, name, hosting.config(hosting.model()), DeploymentConfig=config)
    assert found["FailureReason"] == "There is no alarm nobody."
    alarm(hosting, "OK")
    blind = role_without("Alarms")
    found = update(hosting, name, blind.config(blind.model()), DeploymentConfig=blue_green())
    assert "cannot be read by" in found["FailureReason"]
    assert "cloudwatch:DescribeAlarms" in found["FailureReason"]


def test_canary_and_linear_traffic_end_on_the_new_fleet(hosting):
    alarm(hosting, "OK")
    name = hosting.endpoint(hosting.config(hosting.model(factor=1), count=2))
    hosting.settled(name)
    for factor, kind, size in ((2, "CANARY", "CanarySize"), (3, "LINEAR", "LinearStepSize")):
        deployment = blue_green(kind, **{size: {"Type": "CAPACITY_PERCENT", "Value": 50}})
        config = hosting.config(hosting.model(factor=factor), count=2)
        found = update(hosting, name, config, DeploymentConfig=deployment)
        assert (found["EndpointConfigName"], hosting.ask(name)) == (config, [3.0 * factor])


@pytest.mark.parametrize(
    ("deployment", "reason"),
    [
        ({"RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}},
         "MaximumBatchSize is 1 (INSTANCE_COUNT) of 1 instance"),
        ({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 0}}},
         "CanarySize must be given"),
        ({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {
            "Type": "CANARY", "WaitIntervalInSeconds": 0, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10}}}},
         "needs at least 2 instances"),
    ],
)  # fmt: skip
def test_a_deployment_that_is_not_possible_is_refused_at_once(hosting, deployment, reason):
    name = hosting.in_service()
    error = error_of(
        hosting.client.update_endpoint,
        EndpointName=name,
        EndpointConfigName=hosting.config(hosting.model()),
        DeploymentConfig=deployment,
    )
    assert (error["Code"], reason in error["Message"]) == ("ValidationException", True)
    assert hosting.settled(name)["EndpointStatus"] == "InService"


def alarm(hosting, state):
    client = hosting.cloud.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=ALARM,
        MetricName="Nothing",
        Namespace="Test",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    client.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="because")


def blue_green(kind="ALL_AT_ONCE", **size):
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 60, **size},
            "TerminationWaitInSeconds": 60,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
    }


def test_a_deleted_endpoint_is_gone_and_its_servers_with_it(hosting):
    name = hosting.in_service()
    hosting.ask(name)
    member = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet.take(None)
    hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet.give_back(member)
    process = member.server._process
    arn = hosting.client.describe_endpoint(EndpointName=name)["EndpointArn"]
    hosting.client.delete_endpoint(EndpointName=name)
    assert process.wait(120) == 0
    gone = hosting.cloud.services["sagemaker"].endpoints
    with pytest.raises(Exception, match="Could not find endpoint"):
        gone.wait(name, 120)
    error = error_of(hosting.client.describe_endpoint, EndpointName=name)
    assert error["Message"] == f'Could not find endpoint "{arn}".'
    assert not (hosting.cloud.directory / "endpoints" / name).exists()


def test_names_are_unique_and_a_config_must_be_there(hosting):
    name = hosting.in_service()
    config = hosting.client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    error = error_of(hosting.client.create_endpoint, EndpointName=name, EndpointConfigName=config)
    assert error["Message"].startswith("Cannot create already existing endpoint ")
    error = error_of(hosting.client.create_endpoint, EndpointName="another", EndpointConfigName="none")
    assert error["Message"].startswith("Could not find endpoint configuration ")


def test_endpoints_are_listed_by_status_and_name(hosting):
    good = hosting.in_service()
    bad = hosting.endpoint(hosting.config(hosting.model(script="x = 1")))
    hosting.settled(bad)
    listed = hosting.client.list_endpoints(StatusEquals="Failed", NameContains="endpoint", MaxResults=100)["Endpoints"]
    names = {each["EndpointName"] for each in listed}
    assert (bad in names, good in names) == (True, False)


def test_each_change_is_an_event(hosting, monkeypatch):
    heard = []
    hosting.cloud.publish_event, publish = (
        (lambda event: (heard.append(event), publish(event))),
        hosting.cloud.publish_event,
    )
    try:
        name = hosting.in_service()
        update(hosting, name, hosting.config(hosting.model(script="x = 1")))
    finally:
        hosting.cloud.publish_event = publish
    mine = [event["detail"]["EndpointStatus"] for event in heard if event["detail"].get("EndpointName") == name]
    assert mine == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE"]
    assert {event["detail-type"] for event in heard} == {"SageMaker Endpoint State Change"}
