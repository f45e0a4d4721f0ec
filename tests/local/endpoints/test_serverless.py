"""Serverless endpoints: no process without a request, limits, and what AWS does not combine with them."""

from __future__ import annotations

import concurrent.futures
import os
import threading

import pytest
from botocore.exceptions import ClientError

from modelwright.local.processes.launcher import Launcher
from modelwright.local.sagemaker.hosting.server import Server, ServerFailed, ServerSpec
from modelwright.local.sagemaker.hosting.serverless import ServerlessHost

PID = "import os\ndef model_fn(d): return lambda x: os.getpid()\n"
WAITS = """
import pathlib
def model_fn(d): return pathlib.Path(d, "gate.txt").read_text()
def input_fn(body, content_type): return body
def predict_fn(data, gate):
    with open(gate) as opened:
        return opened.read()
"""


def serverless(hosting, concurrency=5, memory=2048, **model):
    config = {"MemorySizeInMB": memory, "MaxConcurrency": concurrency}
    return hosting.variants({"ModelName": hosting.model(**model), "ServerlessConfig": config})


def hosts(hosting, name):
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
    return [member.server for member in fleet.members]


def up(hosting, name):
    return [server for host in hosts(hosting, name) for server in host.servers]


def error_of(call, *args, **arguments):
    with pytest.raises(ClientError) as caught:
        call(*args, **arguments)
    return caught.value.response["Error"]


def test_it_starts_with_a_request_and_stays_for_the_next(hosting):
    name = hosting.served(serverless(hosting, script=PID))
    assert up(hosting, name) == []
    first = hosting.ask(name)
    assert [server.pid for server in up(hosting, name)] == [first]
    assert hosting.ask(name) == first
    (setup,) = hosting.points(name, "ModelSetupTime")
    assert (setup["SampleCount"], setup["Maximum"] > 1000) == (1, True), "one cold start, in microseconds"


def test_it_ends_when_nobody_has_asked_for_a_while(hosting, monkeypatch):
    monkeypatch.setenv("MODELWRIGHT_SERVERLESS_IDLE_SECONDS", "0")
    name = hosting.served(serverless(hosting, script=PID))
    first = hosting.ask(name)
    server = next((server for server in up(hosting, name)), None)
    if server is not None:  # it is about to end
        process = server._process
        assert process is None or process.wait(120) == 0
    assert hosting.ask(name) != first
    assert sum(each["SampleCount"] for each in hosting.points(name, "ModelSetupTime")) == 2


def test_a_container_never_ends_under_a_request(hosting, monkeypatch):
    monkeypatch.setenv("MODELWRIGHT_SERVERLESS_IDLE_SECONDS", "0")
    name = hosting.served(serverless(hosting, concurrency=100))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: hosting.ask(name, f"{number},0"), range(60)))
    assert found == [[float(number)] for number in range(60)]


def test_more_requests_than_may_be_at_once_are_throttled(hosting, archive, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    body = archive({"gate.txt": str(gate), "code/inference.py": WAITS})
    name = hosting.served(serverless(hosting, concurrency=1, body=body))
    answers = []
    asking = threading.Thread(target=lambda: answers.append(hosting.ask(name)))
    asking.start()
    with gate.open("w") as opened:
        error = error_of(hosting.ask, name)
        assert (error["Code"], "MaxConcurrency" in error["Message"]) == ("ThrottlingException", True)
        opened.write("first")
    asking.join(120)
    assert answers == ["first"]
    (used,) = hosting.points(name, "ServerlessConcurrentExecutionsUtilization")
    assert (used["SampleCount"], used["Maximum"]) == (1, 1.0)


def test_requests_at_once_have_containers_of_their_own(hosting):
    name = hosting.served(serverless(hosting, concurrency=2, script=PID))
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
    busy = fleet.take(None)
    with busy.server.serving(None) as server:
        assert hosting.ask(name) != server.pid
    fleet.give_back(busy)
    assert len(up(hosting, name)) == 2


def test_it_says_what_it_is_and_can_be_given_more(hosting):
    name = hosting.served(serverless(hosting, concurrency=3))
    (variant,) = hosting.client.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 3}
    assert "CurrentInstanceCount" not in variant
    hosting.client.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "v0", "ServerlessUpdateConfig": {"MaxConcurrency": 9}}],
    )
    (variant,) = hosting.settled(name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MaxConcurrency"] == 9
    changes = [{"VariantName": "v0", "DesiredInstanceCount": 2}]
    call = hosting.client.update_endpoint_weights_and_capacities
    error = error_of(call, EndpointName=name, DesiredWeightsAndCapacities=changes)
    assert "is serverless and has no instances" in error["Message"]


def test_it_has_the_metrics_of_its_kind_and_no_others(hosting):
    name = hosting.served(serverless(hosting))
    hosting.ask(name)
    with pytest.raises(ClientError):
        hosting.ask(name, "x")
    assert (hosting.total(name, "Invocations"), hosting.total(name, "Invocation4XXErrors")) == (2, 1)
    (overhead,), (setup,) = hosting.points(name, "OverheadLatency"), hosting.points(name, "ModelSetupTime")
    assert overhead["Maximum"] > setup["Maximum"], "the cold start is overhead, not the model's time"
    for other in ("InvocationsPerInstance", "InvocationModelErrors"):
        assert hosting.points(name, other) == []
    (memory,) = hosting.points(name, "MemoryUtilization", namespace="/aws/sagemaker/Endpoints")
    assert 0 < memory["Maximum"] < 100
    assert hosting.points(name, "DiskUtilization", namespace="/aws/sagemaker/Endpoints") == []


def test_four_megabytes_go_in_and_out(hosting):
    script = """
def model_fn(d): return lambda x: x
def input_fn(b, t): return b
def output_fn(p, a): return p * 2, 'application/octet-stream'
"""
    name = hosting.served(serverless(hosting, script=script))
    client = hosting.cloud.client("sagemaker-runtime")
    half = {"EndpointName": name, "ContentType": "application/octet-stream", "Body": b"1" * (2 << 20)}
    assert len(client.invoke_endpoint(**half)["Body"].read()) == 4 << 20
    error = error_of(client.invoke_endpoint, **{**half, "Body": b"1" * ((4 << 20) + 1)})
    assert (error["Code"], "at most 4194304" in error["Message"]) == ("ValidationError", True)
    error = error_of(client.invoke_endpoint, **{**half, "Body": b"1" * ((2 << 20) + 1)})
    assert (error["Code"], "4194306 bytes; at most 4194304" in error["Message"]) == ("ModelError", True)


def test_a_model_that_does_not_load_fails_the_endpoint(hosting):
    found = hosting.settled(hosting.endpoint(serverless(hosting, script="x = 1")))
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith(
        "Unable to successfully stand up your model within the allotted 180 second"
    )
    assert "has no model_fn" in found["FailureReason"]


def test_a_container_with_too_much_memory_is_killed(archive, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    packed = tmp_path / "model.tar.gz"
    packed.write_bytes(archive({"gate.txt": str(gate), "code/inference.py": WAITS}))
    spec = ServerSpec(tmp_path / "root", packed, {"PATH": os.environ["PATH"]}, 120)
    said, recorded, launcher = [], [], Launcher([])
    host = ServerlessHost(
        lambda: Server(launcher, spec, said.append), 1 << 20, 300, on_line=said.append, record=recorded.extend
    )
    with host.serving(None) as server, pytest.raises(ServerFailed, match="ended while it worked on the request"):
        server.exchange("POST", "/invocations", {"Content-Type": "text/csv"}, b"1", 120)
    assert any("MB of memory and may have 1 MB: it is killed" in line for line in said)
    host.stop()
    launcher.stop()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"MemorySizeInMB": 1500}, "MemorySizeInMB of v0 is 1500; it must be 1024, 2048"),
        ({"MemorySizeInMB": 7168}, "less than or equal to 6144"),
        ({"MaxConcurrency": 201}, "less than or equal to 200"),
        ({"ProvisionedConcurrency": 1}, "ServerlessConfig.ProvisionedConcurrency"),
    ],
)
def test_sizes_that_aws_does_not_have_are_refused(hosting, changes, reason):
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 1, **changes}
    error = error_of(hosting.variants, {"ModelName": hosting.model(), "ServerlessConfig": config})
    assert (error["Code"], reason in error["Message"]) == ("ValidationException", True), error


def test_everything_that_is_not_combined_is_said_at_once(hosting):
    client, name = hosting.client, "isolated"
    client.create_model(
        ModelName=name,
        PrimaryContainer={
            "Image": hosting.image.replace("cpu", "gpu"),
            "Mode": "MultiModel",
            "ModelDataUrl": "s3://models/several/",
        },
        ExecutionRoleArn=hosting.role,
        EnableNetworkIsolation=True,
        VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    )
    one = {"ModelName": name, "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    capture = {
        "InitialSamplingPercentage": 1,
        "DestinationS3Uri": "s3://models/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    error = error_of(hosting.variants, one, one, DataCaptureConfig=capture)
    for reason in ("one production variant; found 2", "captures no data", "is in no VPC", "cannot be isolated",
                   "has one model", "image for GPUs"):  # fmt: skip
        assert reason in error["Message"]


def test_an_endpoint_with_instances_does_not_become_serverless_but_the_other_way_round(hosting):
    name = hosting.in_service()
    update = hosting.client.update_endpoint
    error = error_of(update, EndpointName=name, EndpointConfigName=serverless(hosting))
    assert "cannot be updated to a serverless one; delete it and create a new one" in error["Message"]
    name = hosting.served(serverless(hosting, factor=2))
    update(EndpointName=name, EndpointConfigName=serverless(hosting, factor=3))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    assert hosting.ask(name) == [9.0]
    update(EndpointName=name, EndpointConfigName=hosting.config(hosting.model(factor=5)))
    assert hosting.settled(name)["EndpointStatus"] == "InService"
    assert hosting.ask(name) == [15.0]
