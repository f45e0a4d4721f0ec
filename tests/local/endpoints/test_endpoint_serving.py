"""Endpoints that serve: over real servers, as InvokeEndpoint's caller and the log's reader see it."""

from __future__ import annotations

import concurrent.futures
import signal
from collections import Counter

import boto3
import pytest
from botocore.exceptions import ClientError

ANSWERS_LATE = """
import pathlib
def model_fn(d): return float(pathlib.Path(d, "model.txt").read_text())
def input_fn(body, content_type): return body
def predict_fn(body, model):
    with open(body) as gate:
        gate.read()
    return model
"""


def error_of(caught):
    return caught.value.response["Error"]


def test_an_endpoint_in_service_answers(hosting):
    name = hosting.in_service(factor=2)
    assert hosting.ask(name, "1,2\n3,4\n") == [6.0, 14.0]


def test_the_answer_names_its_type_and_variant(hosting):
    name = hosting.in_service()
    client = hosting.cloud.client("sagemaker-runtime")
    answer = client.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/csv", Accept="text/csv")
    found = (answer["ContentType"], answer["InvokedProductionVariant"], answer["Body"].read())
    assert found == ("text/csv", "v0", b"3.0\n")


def test_a_client_on_the_wire_sends_and_gets_the_same_bytes(hosting):
    script = (
        "def model_fn(d): return lambda x: x\ndef input_fn(b, t): return b\ndef output_fn(p, a): return p, 'image/x'\n"
    )
    name, owner = hosting.in_service(script=script), hosting.cloud.callers.owner
    client = boto3.client(
        "sagemaker-runtime",
        region_name="us-east-1",
        endpoint_url=hosting.cloud.endpoint_url,
        aws_access_key_id=owner.access_key,
        aws_secret_access_key=owner.secret_key,
    )
    body = bytes(range(256)) * 400
    answer = client.invoke_endpoint(EndpointName=name, Body=body, ContentType="application/octet-stream", Accept="a/b")
    assert (answer["ContentType"], answer["Body"].read() == body) == ("image/x", True)
    with pytest.raises(client.exceptions.ModelError) as caught:
        client.invoke_endpoint(EndpointName=name, Body=b"\xff", ContentType="text/csv")
    assert caught.value.response["OriginalStatusCode"] == 400


def test_the_model_gets_its_environment_and_its_own_opt_ml(hosting):
    script = """
import os, pathlib
def model_fn(d): return d
def predict_fn(data, d):
    return [os.environ["MINE"], d, pathlib.Path("/opt/ml/model/model.txt").read_text(), os.environ["AWS_REGION"]]
"""
    name = hosting.in_service(script=script, Environment={"MINE": 'it\'s "mine"'})
    assert hosting.ask(name) == ['it\'s "mine"', "/opt/ml/model", "1.0", "us-east-1"]


def test_the_program_and_submit_directory_of_the_environment_are_used(hosting, archive):
    body = archive({"model.txt": "1", "code/serve.py": "def model_fn(d): return lambda x: 'serve'\n"})
    environment = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    name = hosting.endpoint(hosting.config(hosting.model(body, Environment=environment)))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    assert hosting.ask(name) == "serve"


@pytest.mark.parametrize(
    ("body", "more", "status", "message"),
    [
        ("1,x", {}, 400, "must be a number"),
        ("1,2", {"ContentType": "text/xml"}, 415, "UnsupportedMediaType"),
        ("1,2", {"Accept": "text/xml"}, 406, "NotAcceptable"),
    ],
)
def test_a_model_that_refuses_is_a_model_error_with_its_status_and_message(hosting, body, more, status, message):
    name = hosting.in_service()
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, body, **more)
    found = caught.value.response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert (found["OriginalStatusCode"], message in found["OriginalMessage"]) == (status, True)
    assert f"Received client error ({status}) from primary with message" in found["Error"]["Message"]
    assert found["LogStreamArn"].endswith(f"/aws/sagemaker/Endpoints/{name}")
    assert hosting.ask(name) == [3.0]


def test_a_server_that_dies_is_a_model_error_and_is_started_again(hosting):
    name = hosting.in_service()
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, "2000,1")
    assert error_of(caught)["Code"] == "ModelError"
    assert caught.value.response["OriginalStatusCode"] == 0
    assert hosting.ask(name) == [3.0]
    assert "The model server ended with status 9; it is started again." in hosting.log(name)


def test_a_server_that_is_killed_while_idle_costs_no_request(hosting):
    name = hosting.in_service()
    hosting.ask(name)
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
    with fleet_member(fleet) as member:
        process = member.server._process
    process.signal(signal.SIGKILL)
    assert process.wait(120) == -9
    assert hosting.ask(name) == [3.0]


class fleet_member:  # noqa: N801  # reads as a statement
    def __init__(self, fleet):
        self.fleet = fleet

    def __enter__(self):
        self.member = self.fleet.take(None)
        return self.member

    def __exit__(self, *_):
        self.fleet.give_back(self.member)


def test_a_server_that_does_not_come_back_is_given_up(hosting, tmp_path):
    licence = tmp_path / "licence"
    licence.touch()
    script = f"""
import os
def model_fn(d): return open({str(licence)!r})
def predict_fn(data, model): os._exit(1)
"""
    name = hosting.in_service(script=script)
    licence.unlink()
    with pytest.raises(ClientError):
        hosting.ask(name)
    with pytest.raises(ClientError) as caught:
        hosting.ask(name)
    assert "cannot be started again: model_fn failed: FileNotFoundError" in error_of(caught)["Message"]


def test_two_variants_share_the_requests_by_weight_and_can_be_asked_for(hosting):
    models = (hosting.model(factor=1), hosting.model(factor=10))
    name = hosting.endpoint(hosting.config(*models, weights=(0.0, 1.0)))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    assert Counter(hosting.ask(name)[0] for _ in range(20)) == {30.0: 20}
    assert hosting.ask(name, TargetVariant="v0") == [3.0]
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, TargetVariant="v7")
    assert (error_of(caught)["Code"], "Variant v7" in error_of(caught)["Message"]) == ("ValidationError", True)


def test_each_instance_is_a_process_of_its_own(hosting):
    script = "import os\ndef model_fn(d): return lambda x: os.getpid()\n"
    name = hosting.endpoint(hosting.config(hosting.model(script=script), count=2))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    assert len({hosting.ask(name) for _ in range(4)}) == 2
    streams = hosting.cloud.client("logs").describe_log_streams(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
    assert len([s for s in streams["logStreams"] if s["logStreamName"].startswith("v0/i-")]) == 2


def test_many_callers_at_once_get_their_own_answers(hosting):
    name = hosting.in_service()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: hosting.ask(name, f"{number},0"), range(100)))
    assert found == [[float(number)] for number in range(100)]


def test_requests_are_counted_in_cloudwatch(hosting):
    name = hosting.in_service()
    hosting.ask(name)
    with pytest.raises(ClientError):
        hosting.ask(name, "x")
    cloud = hosting.cloud
    cloud.services["sagemaker-runtime"].flush()
    assert total(cloud, name, "Invocations") == 2
    assert total(cloud, name, "Invocation4XXErrors") == 1
    assert total(cloud, name, "Invocation5XXErrors") == 0
    assert total(cloud, name, "InvocationModelErrors") == 1
    assert total(cloud, name, "InvocationsPerInstance") == 2
    assert total(cloud, name, "ModelLatency") > 100, "in microseconds"
    assert total(cloud, name, "OverheadLatency") > 0


def total(cloud, name, metric, namespace="AWS/SageMaker"):
    now = cloud.clock.time()
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "v0"}],
        StartTime=now - 3600,
        EndTime=now + 3600,
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        ({"TargetModel": "a.tar.gz"}, "ValidationError", "is not a multi-model endpoint and does not support target"),
        ({"EnableExplanations": "`true`"}, "ValidationError", "EnableExplanations"),
        ({"Body": b"1" * 6_291_457}, "ValidationError", "6291456"),
    ],
)
def test_what_invoke_endpoint_does_not_take_is_named(hosting, more, code, text):
    name = hosting.in_service()
    body = more.pop("Body", "1,2")
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, body, **more)
    assert (error_of(caught)["Code"], text in error_of(caught)["Message"]) == (code, True)


def test_an_endpoint_that_is_not_there_is_a_validation_error(hosting):
    with pytest.raises(ClientError) as caught:
        hosting.ask("no-such-endpoint")
    assert error_of(caught)["Code"] == "ValidationError"
    assert "Endpoint no-such-endpoint of account 123456789012 not found" in error_of(caught)["Message"]


def test_a_role_that_may_not_write_logs_serves_without(role_without):
    hosting = role_without("Log")
    name = hosting.in_service()
    assert hosting.ask(name) == [3.0]
    with pytest.raises(ClientError):
        hosting.log(name)


def test_an_instance_says_what_it_uses_as_long_as_it_runs(hosting):
    name = hosting.in_service()
    hosting.ask(name)
    hosting.cloud.services["sagemaker-runtime"].flush()
    assert 0 < total(hosting.cloud, name, "MemoryUtilization", "/aws/sagemaker/Endpoints") < 100
    assert 0 <= total(hosting.cloud, name, "DiskUtilization", "/aws/sagemaker/Endpoints") < 100


def test_a_request_that_no_instance_takes_is_counted_and_no_instance_says_what_it_uses(hosting):
    name = hosting.in_service()
    fleet = hosting.cloud.services["sagemaker"].endpoints.running()[name]
    for member in fleet.members:
        member.server.stop()
    with pytest.raises(ClientError):
        hosting.ask(name)
    hosting.cloud.services["sagemaker-runtime"].flush()
    assert total(hosting.cloud, name, "Invocations") == 1
    assert total(hosting.cloud, name, "MemoryUtilization", "/aws/sagemaker/Endpoints") == 0
