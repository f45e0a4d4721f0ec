"""What a local cloud that was stopped, or killed, finds when it starts again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from modelwright.local.cloud import Cloud

CUT_OFF = """
import importlib.util, pathlib, sys, time
spec = importlib.util.spec_from_file_location("hosting_conftest", sys.argv[1])
conftest = importlib.util.module_from_spec(spec)
sys.modules["hosting_conftest"] = conftest
spec.loader.exec_module(conftest)
cloud = conftest.Cloud(pathlib.Path(sys.argv[2]), "us-east-1", services=conftest.SERVICES)
cloud.start()
conftest.prepare(cloud)
hosting = conftest.Hosting(cloud)
updated = hosting.in_service(factor=2)
script = f"def model_fn(d): return open({sys.argv[3]!r}).read()"
waiting = hosting.config(hosting.model(script=script))
made = hosting.endpoint(waiting)
hosting.client.update_endpoint(EndpointName=updated, EndpointConfigName=waiting)
print(updated, made, flush=True)
time.sleep(600)
"""
"""a local cloud with two deployments that will never end, in a process that can be killed"""


@pytest.fixture
def make_cloud(tmp_path, services, prepare):
    """Make a cloud on one directory; the one before is stopped first."""
    running = []

    def make() -> Cloud:
        for cloud in running:
            cloud.stop()
        running[:] = [Cloud(tmp_path / "state", "us-east-1", services=services)]
        running[0].start()
        prepare(running[0])
        return running[0]

    yield make
    for cloud in running:
        cloud.stop()


def test_an_endpoint_serves_the_same_model_again(make_cloud, hosting_on):
    before = hosting_on(make_cloud())
    name = before.in_service(factor=4)
    model = before.client.list_models()["Models"][0]["ModelName"]
    before.client.delete_model(ModelName=model)
    described = before.client.describe_endpoint(EndpointName=name)
    after = hosting_on(make_cloud())
    found = after.client.describe_endpoint(EndpointName=name)
    for answer in (described, found):
        answer.pop("ResponseMetadata")
    assert found == described
    assert after.ask(name) == [12.0]


def test_what_was_captured_is_there_when_the_cloud_has_stopped(make_cloud, hosting_on):
    before = hosting_on(make_cloud())
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://models/captured/",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    name = before.served(before.variants({"ModelName": before.model()}, DataCaptureConfig=capture))
    before.ask(name)
    after = make_cloud()
    (found,) = after.s3.list("models", f"captured/{name}/v0/")
    assert found.path.read_text().count("\n") == 1


def test_everything_else_is_there_too(make_cloud, hosting_on):
    before = hosting_on(make_cloud())
    before.client.create_model_package_group(ModelPackageGroupName="birds")
    config = before.config(before.model())
    after = hosting_on(make_cloud())
    assert (
        after.client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]["VariantName"] == "v0"
    )
    assert after.client.describe_model_package_group(ModelPackageGroupName="birds")["ModelPackageGroupName"] == "birds"


def test_a_deployment_that_was_killed_is_failed_or_what_it_was(make_cloud, hosting_on, tmp_path):
    os.mkfifo(tmp_path / "gate")
    conftest = Path(__file__).with_name("conftest.py")
    command = [sys.executable, "-c", CUT_OFF, str(conftest), str(tmp_path / "state"), str(tmp_path / "gate")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # the conftest's own imports
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        updated, made = process.stdout.readline().split()
        process.kill()
    hosting = hosting_on(make_cloud())
    found = hosting.client.describe_endpoint(EndpointName=made)
    assert (found["EndpointStatus"], "ended during" in found["FailureReason"]) == ("Failed", True)
    found = hosting.client.describe_endpoint(EndpointName=updated)
    assert (found["EndpointStatus"], "ended during" in found["FailureReason"]) == ("InService", True)
    assert hosting.ask(updated) == [6.0]
    with pytest.raises(ClientError, match="is Failed, not InService"):
        hosting.ask(made)


def test_a_stopped_cloud_leaves_no_server(make_cloud, hosting_on):
    cloud = make_cloud()
    hosting = hosting_on(cloud)
    name = hosting.in_service(script="import os\ndef model_fn(d): return lambda x: os.getpid()\n")
    pid = hosting.ask(name)
    assert os.path.exists(f"/proc/{pid}")  # noqa: PTH110
    make_cloud()
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
