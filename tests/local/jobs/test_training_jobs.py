"""Training jobs: real processes in their own /opt/ml, from S3 to S3."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from modelwright.local.sagemaker.jobs import outputs
from modelwright.local.sagemaker.jobs import process as job_process

if TYPE_CHECKING:
    from collections.abc import Callable

TRAIN = """
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("-n", type=int)
args, rest = parser.parse_known_args()
with open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "data.csv")) as file:
    rows = file.read().splitlines()
print("rows", len(rows))
with open("/opt/ml/model/model.json", "w") as file:
    json.dump({"n": args.n, "rows": rows, "cwd": os.getcwd(), "hps": json.loads(os.environ["SM_HPS"])}, file)
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "notes.txt"), "w") as file:
    file.write("noted")
"""
FOREVER = """
import os, signal, sys, time
def end(*_):
    open("/opt/ml/model/saved", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("running", flush=True)
while True:
    time.sleep(0.01)
"""


def channel(uri: str, name: str = "train") -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}}
    return {"ChannelName": name, "DataSource": source, "InputMode": "File"}


def eventually(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(condition() or pause.wait(0.01) for _ in range(500))


def until_it_runs(work, name: str) -> None:
    pause = threading.Event()
    for _ in range(1000):
        try:
            if "running" in work.lines("TrainingJob", name):
                return
        except (ClientError, IndexError):
            pass
        pause.wait(0.02)
    raise AssertionError(f"{name} does not run: {work.ended('TrainingJob', name)}")


def test_a_script_trains_on_its_channel_and_its_model_is_in_s3(work, put, get, members) -> None:
    put("one/train/data.csv", "a\nb\n")
    found = work.trained(
        "one", TRAIN, InputDataConfig=[channel("s3://job-bucket/one/train/")], HyperParameters={"n": "7"}
    )
    assert found["TrainingJobStatus"] == "Completed", found
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == "s3://job-bucket/out/one/output/model.tar.gz"
    model = json.loads(members(get("out/one/output/model.tar.gz"))["model.json"])
    assert model == {"n": 7, "rows": ["a", "b"], "cwd": "/opt/ml/code", "hps": {"n": 7}}
    assert members(get("out/one/output/output.tar.gz")) == {"notes.txt": b"noted"}
    assert [each["Status"] for each in found["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert work.lines("TrainingJob", "one") == ["rows 2"]
    assert eventually(lambda: not (work.cloud.directory / "jobs/one").exists())


def test_the_same_training_gives_the_same_archive_byte_for_byte(work, put, get) -> None:
    put("same/train/data.csv", "a\n")
    for name in ("same-1", "same-2"):
        work.trained(name, TRAIN, InputDataConfig=[channel("s3://job-bucket/same/train/")])
    assert get("out/same-1/output/model.tar.gz") == get("out/same-2/output/model.tar.gz")


def test_a_prefix_matches_by_prefix_as_on_aws(work, put, get, members) -> None:
    for key in ("p/train/a.csv", "p/train/deep/b.csv", "p/train-2/c.csv"):
        put(key, key)
    script = """
import json, os
found = sorted(os.path.relpath(os.path.join(here, name), "/opt/ml/input/data/train")
               for here, _, names in os.walk("/opt/ml/input/data/train") for name in names)
json.dump(found, open("/opt/ml/model/found.json", "w"))
"""
    for name, uri in (("slash", "s3://job-bucket/p/train/"), ("no-slash", "s3://job-bucket/p/train")):
        assert work.trained(name, script, InputDataConfig=[channel(uri)])["TrainingJobStatus"] == "Completed"
    read = {
        name: json.loads(members(get(f"out/{name}/output/model.tar.gz"))["found.json"])
        for name in ("slash", "no-slash")
    }
    assert read == {"slash": ["a.csv", "deep/b.csv"], "no-slash": ["-2/c.csv", "a.csv", "deep/b.csv"]}


def test_a_job_may_change_its_inputs_and_the_bucket_does_not_notice(work, put, get) -> None:
    body = b"x" * (3 << 20)
    put("big/train/data.bin", body)
    script = "open('/opt/ml/input/data/train/data.bin', 'w').write('changed')\n"
    try:
        work.trained("changer", script, InputDataConfig=[channel("s3://job-bucket/big/train/")])
    finally:
        assert get("big/train/data.bin") == body


def test_a_script_that_raises_fails_the_job_with_its_last_words(work) -> None:
    found = work.trained("raises", "print('before')\nraise ValueError('no such column: age')\n")
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith(
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: no such column: age"\nCommand "'
    )
    lines = work.lines("TrainingJob", "raises")
    assert lines[0] == "before"
    assert lines[-1] == "ValueError: no such column: age"
    assert '  File "/opt/ml/code/train.py", line 2, in <module>' in lines
    assert (work.cloud.directory / "jobs/raises/ml/output/failure").is_file()


def test_the_first_1024_characters_of_the_failure_file_are_the_reason(work) -> None:
    script = "open('/opt/ml/output/failure', 'w').write('ü' * 2000)\nraise SystemExit(1)\n"
    assert work.trained("long-words", script)["FailureReason"] == "AlgorithmError: " + "ü" * 1024


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        (
            "no-data",
            {"InputDataConfig": [channel("s3://job-bucket/nothing/here/")]},
            "No S3 objects found under S3 URL",
        ),
        ("no-bucket", {"InputDataConfig": [channel("s3://no-such-bucket/x/")]}, "s3://no-such-bucket/x/"),
        (
            "no-code",
            {"HyperParameters": {"sagemaker_submit_directory": "s3://job-bucket/none.tar.gz"}},
            "s3://job-bucket/none.tar.gz",
        ),
    ],
)
def test_missing_inputs_are_a_client_error_that_names_them(work, name, wrong, said) -> None:
    found = work.trained(name, "", **wrong)
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: ")
    assert said in found["FailureReason"]


def test_stopping_asks_the_script_and_still_takes_its_model(work, get, members) -> None:
    work.training("stopped", FOREVER)
    until_it_runs(work, "stopped")
    work.client.stop_training_job(TrainingJobName="stopped")
    found = work.ended("TrainingJob", "stopped")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert list(members(get("out/stopped/output/model.tar.gz"))) == ["saved"]
    assert "Stopping" in [each["Status"] for each in found["SecondaryStatusTransitions"]]


def test_the_maximum_run_time_stops_a_job_and_its_children(work, get, members) -> None:
    script = FOREVER.replace('print("running"', "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\n"
                             "open('/opt/ml/model/child', 'w').write(str(child.pid))\nprint(\"running\"")  # fmt: skip
    found = work.trained("too-long", script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    left = members(get("out/too-long/output/model.tar.gz"))
    assert "saved" in left
    assert not Path(f"/proc/{int(left['child'])}").exists()


def test_a_script_that_does_not_listen_is_killed_after_the_grace(work, monkeypatch) -> None:
    monkeypatch.setattr(job_process, "GRACE_SECONDS", 0.2)
    script = FOREVER.replace("signal.signal(signal.SIGTERM, end)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    found = work.trained("deaf", script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert found["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_a_name_can_be_used_once(work) -> None:
    request = work.training("unique", "")
    with pytest.raises(ClientError) as caught:
        work.client.create_training_job(**request)
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    assert work.ended("TrainingJob", "unique")["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TrainingJobName": "no_underscore"}, "trainingJobName"),
        ({"HyperParameters": {"long": "x" * 2501}}, "2500"),
        ({"HyperParameters": {f"h{number}": "" for number in range(101)}}, "100"),
        ({"HyperParameters": {"sagemaker_mpi_enabled": "true"}}, "sagemaker_mpi_enabled"),
        ({"EnableManagedSpotTraining": True}, "spot"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c"}}, "CheckpointConfig"),
        ({"InputDataConfig": [channel("s3://b/c/"), channel("s3://b/d/")]}, "'train' is there twice"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}}, "InstanceCount"),
        ({"ResourceConfig": {"InstanceType": "ml.no.such", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "ml.no.such"),
        ({"AlgorithmSpecification": {"TrainingImage": "python:3", "TrainingInputMode": "File"}}, "not in ECR"),
        ({"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "Pipe"}}, "TrainingImage"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
    ],
)
def test_a_wrong_request_is_refused_and_nothing_is_kept(work, change, said) -> None:
    name = change.get("TrainingJobName", "refused")
    with pytest.raises(ClientError) as caught:
        work.training(name, "", **{key: value for key, value in change.items() if key != "TrainingJobName"})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert said in caught.value.response["Error"]["Message"]
    assert not [each for each in _all(work) if each["TrainingJobName"] == name]


def _all(work) -> list[dict[str, Any]]:
    return work.client.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]


def test_tuning_jobs_are_an_error_that_says_so(work) -> None:
    with pytest.raises(ClientError, match="does not do hyperparameter tuning yet"):
        work.client.list_hyper_parameter_tuning_jobs()


def test_an_isolated_job_has_its_code_as_a_channel_and_no_credentials(work, put, get, members) -> None:
    script = "import json, os\njson.dump(sorted(os.environ), open('/opt/ml/model/env.json', 'w'))\n"
    put("isolated/code.tar.gz", work.bundle({"train.py": script}))
    found = work.trained(
        "isolated",
        EnableNetworkIsolation=True,
        InputDataConfig=[channel("s3://job-bucket/isolated/code.tar.gz", "code")],
        HyperParameters={"sagemaker_submit_directory": "/opt/ml/input/data/code/code.tar.gz"},
    )
    assert found["TrainingJobStatus"] == "Completed", found["FailureReason"]
    names = json.loads(members(get("out/isolated/output/model.tar.gz"))["env.json"])
    assert not [name for name in names if name.startswith("AWS_") and name != "AWS_REGION"]


def test_an_isolated_job_reaches_no_code_in_s3(work) -> None:
    found = work.trained("unreachable", "", EnableNetworkIsolation=True)
    assert "isolated from the network" in found["FailureReason"]


def test_an_isolated_job_cannot_install_what_is_missing(work) -> None:
    files = {"train.py": "", "requirements.txt": "no-such-distribution-anywhere==1.0\n"}
    code = "/opt/ml/input/data/code/code.tar.gz"
    work.put("iso-req/code.tar.gz", work.bundle(files))
    found = work.trained(
        "isolated-pip",
        EnableNetworkIsolation=True,
        InputDataConfig=[channel("s3://job-bucket/iso-req/code.tar.gz", "code")],
        HyperParameters={"sagemaker_submit_directory": code},
    )
    assert found["FailureReason"].startswith("AlgorithmError: InstallRequirementsError:")
    assert "pip cannot run" in found["FailureReason"]


def test_requirements_that_are_there_need_no_pip(work) -> None:
    files = {"train.py": "import numpy\n", "requirements.txt": "# libraries\nnumpy>=1  # any\n\n"}
    assert work.trained("fulfilled", files=files)["TrainingJobStatus"] == "Completed"


def test_a_local_package_is_installed_once_for_its_content(work, tmp_path) -> None:
    package = tmp_path / "tiny"
    (package / "tinypackage").mkdir(parents=True)
    (package / "tinypackage/__init__.py").write_text("VALUE = 42\n")
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tinypackage"\nversion = "1"\n'
    )
    (package / "backend.py").write_text(BACKEND)
    files = {
        "train.py": "import tinypackage\nopen('/opt/ml/model/v', 'w').write(str(tinypackage.VALUE))\n",
        "requirements.txt": f"{package}\n",
    }
    for name in ("pip-1", "pip-2"):
        found = work.trained(name, files=files)
        assert found["TrainingJobStatus"] == "Completed", found["FailureReason"]
    assert len(list((work.cloud.directory / "environments").iterdir())) == 1


BACKEND = """
import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "tinypackage-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.write("tinypackage/__init__.py")
        wheel.writestr("tinypackage-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tinypackage\\nVersion: 1\\n")
        kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr("tinypackage-1.dist-info/WHEEL", kind)
        wheel.writestr("tinypackage-1.dist-info/RECORD", "")
    return name
"""


def test_an_archive_holds_no_times_and_no_owners(tmp_path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep/x").write_text("x")
        (folder / "a").write_text("a")
    (second / "a").touch()
    outputs.write_archive(first, tmp_path / "1")
    outputs.write_archive(second, tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_statuses_are_sent_as_events(work, cloud, monkeypatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(cloud, "publish_event", sent.append)
    work.trained("told", "")
    assert {event["detail-type"] for event in sent} == {"SageMaker Training Job State Change"}
    statuses = [(event["detail"]["TrainingJobStatus"], event["detail"]["SecondaryStatus"]) for event in sent]
    assert statuses[0] == ("InProgress", "Starting")
    assert statuses[-1] == ("Completed", "Completed")
    assert sent[-1]["resources"] == ["arn:aws:sagemaker:us-east-1:123456789012:training-job/told"]
    assert isinstance(sent[-1]["detail"]["CreationTime"], int)


def test_jobs_are_listed_newest_first_and_by_status(work) -> None:
    work.trained("listed-a", "")
    work.trained("listed-b", "raise SystemExit(3)")
    listing = work.client.list_training_jobs(NameContains="listed-")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listing] == ["listed-b", "listed-a"]
    failed = work.client.list_training_jobs(NameContains="listed-", StatusEquals="Failed")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in failed] == ["listed-b"]


def test_metrics_are_read_from_the_log_and_the_last_value_wins(work) -> None:
    definitions = [{"Name": "acc", "Regex": "accuracy=([0-9.]+)"}, {"Name": "none", "Regex": "no=(x)"}]
    image = {"TrainingImage": work.image, "TrainingInputMode": "File"}
    script = "print('accuracy=0.5 accuracy=0.7')\nprint('accuracy=0.9')\nprint('no=x')\n"
    found = work.trained("metrics", script, AlgorithmSpecification={**image, "MetricDefinitions": definitions})
    assert [(each["MetricName"], each["Value"]) for each in found["FinalMetricDataList"]] == [("acc", 0.9)]
    wrong = [{"Name": "acc", "Regex": "accuracy"}]
    with pytest.raises(ClientError, match="has no group"):
        work.training("no-group", "", AlgorithmSpecification={**image, "MetricDefinitions": wrong})
