"""Training jobs: real processes in their own /opt/ml, from S3 to S3."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from training_channel import channel

from modelwright.local.sagemaker.jobs import outputs

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


def eventually(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(condition() or pause.wait(0.01) for _ in range(12_000))


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
