"""Jobs and the local cloud's own end: stopped in order, or killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from modelwright.local.cloud import Cloud
from modelwright.local.processes import orphans

SERVICES = {
    "logs": "modelwright.local.logs:Logs",
    "events": "modelwright.local.events.service:Events",
    "sagemaker": "modelwright.local.sagemaker.service:SageMaker",
}
DAEMON = """
import json, sys, threading
from pathlib import Path
from modelwright.local.cloud import Cloud
cloud = Cloud(Path(sys.argv[1]), "us-east-1", services=json.loads(sys.argv[2]))
cloud.start()
version = {"Version": "2012-10-17"}
trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
allowed = {"Effect": "Allow", "Action": ["s3:*", "ecr:*", "logs:*"], "Resource": "*"}
role = "arn:aws:iam::123456789012:role/job"
cloud.iam.put_role(role, {**version, "Statement": [trust]}, {"all": {**version, "Statement": [allowed]}})
image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
command = ["python3", "-c", "import time; time.sleep(1000)"]
cloud.client("sagemaker").create_processing_job(
    ProcessingJobName="left", RoleArn=role,
    AppSpecification={"ImageUri": image, "ContainerEntrypoint": command},
    ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
)
while not [each for _, each in cloud.database.all("process") if each["what"].startswith("job")]:
    threading.Event().wait(0.01)
print(*[each["pid"] for _, each in cloud.database.all("process")], flush=True)
if sys.argv[3] == "stop":
    cloud.stop()
    print("stopped", flush=True)
threading.Event().wait(60)
"""


def run_daemon(folder: Path, end: str) -> tuple[subprocess.Popen[str], list[int]]:
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(folder), json.dumps(SERVICES), end],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    return process, [int(pid) for pid in process.stdout.readline().split()]


def all_gone(pids: list[int]) -> bool:
    pause = threading.Event()
    for _ in range(12_000):
        if not [pid for pid in pids if orphans.began(pid) is not None]:
            return True
        pause.wait(0.01)
    return False


def described(folder: Path) -> dict[str, Any]:
    cloud = Cloud(folder, "us-east-1", services=SERVICES, warm=False)
    cloud.start()
    try:
        return cloud.client("sagemaker").describe_processing_job(ProcessingJobName="left")
    finally:
        cloud.stop()


def test_after_kill_9_no_process_is_left_and_the_job_is_failed_with_the_reason(tmp_path) -> None:
    process, pids = run_daemon(tmp_path, "wait")
    assert len(pids) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert all_gone(pids)
    found = described(tmp_path)
    assert found["ProcessingJobStatus"] == "Failed"
    assert found["FailureReason"] == "InternalServerError: the local cloud was stopped or killed while this job ran"


def test_an_orderly_stop_ends_jobs_quickly_and_says_so(tmp_path) -> None:
    process, pids = run_daemon(tmp_path, "stop")
    assert process.stdout is not None
    assert process.stdout.readline() == "stopped\n"
    assert all_gone(pids)
    process.kill()
    process.wait()
    assert described(tmp_path)["ProcessingJobStatus"] == "Failed"
