"""What waits for an asynchronous endpoint when its local cloud is killed, and the alarms that callers made."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from modelwright.local.cloud import Cloud

KILLED = """
import importlib.util, pathlib, sys, time
spec = importlib.util.spec_from_file_location("hosting_conftest", sys.argv[1])
conftest = importlib.util.module_from_spec(spec)
sys.modules["hosting_conftest"] = conftest
spec.loader.exec_module(conftest)
cloud = conftest.Cloud(pathlib.Path(sys.argv[2]), "us-east-1", services=conftest.SERVICES)
cloud.start()
conftest.prepare(cloud)
hosting = conftest.Hosting(cloud)
script = f'''
import pathlib
def model_fn(d): return 1
def predict_fn(data, model):
    pathlib.Path({sys.argv[3]!r}).write_text("begun")
    while not pathlib.Path({sys.argv[4]!r}).exists():
        pass
    return [7]
'''
model = hosting.model(script=script)
variant = {"VariantName": "v0", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
hosting.client.create_endpoint_config(
    EndpointConfigName=model,
    ProductionVariants=[variant],
    AsyncInferenceConfig={
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1},
        "OutputConfig": {"S3OutputPath": f"s3://{conftest.BUCKET}/async/output"},
    },
)
endpoint = hosting.endpoint(model)
hosting.settled(endpoint)
cloud.client("cloudwatch").put_metric_alarm(
    AlarmName="mine", Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
    ComparisonOperator="GreaterThanThreshold",
)
cloud.client("s3").put_object(Bucket=conftest.BUCKET, Key="in.csv", Body=b"1,2\\n")
outputs = [
    cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=f"s3://{conftest.BUCKET}/in.csv", ContentType="text/csv"
    )["OutputLocation"]
    for _ in range(3)
]
while not pathlib.Path(sys.argv[3]).exists():
    time.sleep(0.01)
print(*outputs, flush=True)
time.sleep(600)
"""
"""a local cloud in which one request is under way and two wait, in a process that can be killed"""


def test_a_kill_loses_no_request(tmp_path, services, prepare, put_role, monkeypatch):
    conftest, state = Path(__file__).with_name("conftest.py"), tmp_path / "state"
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    begun, go_on = tmp_path / "begun", tmp_path / "go-on"
    command = [sys.executable, "-c", KILLED, str(conftest), str(state), str(begun), str(go_on)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        outputs = process.stdout.readline().split()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(outputs) == 3
    go_on.touch()
    cloud = Cloud(state, "us-east-1", services=services)
    cloud.start()
    try:
        prepare(cloud)
        writes = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::models/async/*"}
        cloud.iam.put_role_policy(put_role(cloud), "out", {"Version": "2012-10-17", "Statement": [writes]})
        cloud.resume()
        queue = cloud.services["sagemaker"].endpoints.queue
        assert queue.settled(60)
        for output in outputs:
            bucket, _, key = output.removeprefix("s3://").partition("/")
            assert json.loads(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()) == [7]
        assert cloud.database.all("async-request") == []
        names = [alarm["AlarmName"] for alarm in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]]
        assert names == ["mine"]
    finally:
        cloud.stop()
