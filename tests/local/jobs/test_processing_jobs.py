"""Processing jobs: the container's own command between S3 and S3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

COPY = """
import json, os, sys
os.makedirs("/opt/ml/processing/out/deep", exist_ok=True)
text = open("/opt/ml/processing/in/data.txt").read()
found = {
    "text": text, "argv": sys.argv, "env": {k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
    "config": json.load(open("/opt/ml/config/processingjobconfig.json")),
    "resources": json.load(open("/opt/ml/config/resourceconfig.json")),
}
json.dump(found, open("/opt/ml/processing/out/deep/found.json", "w"))
os.symlink("/etc/hostname", "/opt/ml/processing/out/link")
"""


def given(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def output(uri: str, path: str, **more: str) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob", **more}
    return {"Outputs": [{"OutputName": "out", "S3Output": target}]}


def keys(work, prefix: str) -> list[str]:
    found = work.cloud.client("s3").list_objects_v2(Bucket="job-bucket", Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def test_a_command_runs_verbatim_between_its_inputs_and_outputs(work, put, get) -> None:
    put("proc/data/data.txt", "hello")
    put("proc/code/copy.py", COPY)
    found = work.processed(
        "copy",
        ["python3", "/opt/ml/processing/code/copy.py"],
        AppSpecification={
            "ImageUri": work.image,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/copy.py"],
            "ContainerArguments": ["--a", "b c;$HOME"],
        },
        Environment={"MINE": "yes"},
        ProcessingInputs=[
            given("data", "s3://job-bucket/proc/data/", "/opt/ml/processing/in"),
            given("code", "s3://job-bucket/proc/code/", "/opt/ml/processing/code"),
        ],
        ProcessingOutputConfig=output("s3://job-bucket/out/copy/", "/opt/ml/processing/out"),
    )
    assert found["ProcessingJobStatus"] == "Completed", found.get("FailureReason")
    assert keys(work, "out/copy/") == ["out/copy/deep/found.json"]  # and no link
    seen = json.loads(get("out/copy/deep/found.json"))
    assert seen["text"] == "hello"
    assert seen["argv"] == ["/opt/ml/processing/code/copy.py", "--a", "b c;$HOME"]
    assert seen["env"]["MINE"] == "yes"
    assert not [name for name in seen["env"] if name.startswith("SM_")]
    assert seen["config"]["ProcessingJobArn"].endswith(":processing-job/copy")
    assert seen["resources"] == {"current_host": "algo-1", "hosts": ["algo-1"]}
    assert found["ProcessingEndTime"] >= found["ProcessingStartTime"] >= found["CreationTime"]


def test_a_shell_line_runs_in_the_same_tree(work, get) -> None:
    line = 'set -e; cd /opt/ml/processing/out; echo "shell $OLDPWD" > said; ls -d /opt/ml/processing/out >> said'
    found = work.processed(
        "shell",
        ["/bin/sh", "-c", line],
        ProcessingOutputConfig=output("s3://job-bucket/out/sh", "/opt/ml/processing/out"),
    )
    assert found["ProcessingJobStatus"] == "Completed", found.get("FailureReason")
    assert get("out/sh/said").decode().splitlines() == ["shell /opt/ml", "/opt/ml/processing/out"]


def test_another_exit_status_than_0_fails_the_job_with_the_last_words_and_uploads_nothing(work) -> None:
    code = "open('/opt/ml/processing/out/x', 'w').close(); raise KeyError('age')"
    found = work.processed(
        "fails",
        ["python3", "-c", code],
        ProcessingOutputConfig=output("s3://job-bucket/out/f/", "/opt/ml/processing/out"),
    )
    assert found["ProcessingJobStatus"] == "Failed"
    assert found["FailureReason"] == (
        "AlgorithmError: See job logs for more information, exit code: 1: KeyError: 'age'"
    )
    assert keys(work, "out/f/") == []
    assert work.lines("ProcessingJob", "fails")[-1] == "KeyError: 'age'"


@pytest.mark.parametrize(
    ("name", "command", "code"),
    [
        ("exit-42", ["python3", "-c", "import sys; sys.exit(42)"], 42),
        ("killed", ["python3", "-c", "import os; os.kill(os.getpid(), 9)"], -9),
        ("no-program", ["no-such-program"], 127),
        ("no-script", ["python3", "/opt/ml/processing/code/none.py"], 2),
    ],
)
def test_how_a_command_ended_is_in_the_reason(work, name, command, code) -> None:
    assert f"exit code: {code}" in work.processed(name, command)["FailureReason"]


def test_the_first_kilobyte_of_the_message_file_is_the_exit_message(work) -> None:
    code = "open('/opt/ml/output/message', 'w').write('m' * 3000)"
    assert work.processed("message", ["python3", "-c", code])["ExitMessage"] == "m" * 1024


def test_the_maximum_run_time_stops_the_job(work) -> None:
    code = "import time; time.sleep(1000)"
    found = work.processed("endless", ["python3", "-c", code], StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert found["ProcessingJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ProcessingInputs": [given("a", "s3://b/c/", "/tmp/x")]}, "must begin with /opt/ml/processing/"),
        ({"ProcessingInputs": [given("a", "s3://b/c/", "/opt/ml/processing/../x")]}, "must begin with"),
        ({"ProcessingInputs": [given("a", "s3://b/c/", "/opt/ml/processing/x")] * 2}, "'a' is there twice"),
        ({"ProcessingOutputConfig": output("s3://b/c", "/opt/ml/processing/o", S3UploadMode="Continuous")}, "EndOfJob"),
        ({"AppSpecification": {"ImageUri": "python:3", "ContainerEntrypoint": ["x"]}}, "not in ECR"),
        ({"ExperimentConfig": {"ExperimentName": "x"}}, "ExperimentConfig: the local cloud does not support this yet"),
    ],
)
def test_a_wrong_request_is_refused(work, change, said) -> None:
    with pytest.raises(ClientError) as caught:
        work.processing("refused", ["true"], **change)
    assert said in caught.value.response["Error"]["Message"]


def test_both_kinds_may_have_a_job_of_one_name(work) -> None:
    work.training("twin", "import time\n")
    assert work.processed("twin", ["true"])["ProcessingJobStatus"] == "Completed"
    assert work.ended("TrainingJob", "twin")["TrainingJobStatus"] == "Completed"
