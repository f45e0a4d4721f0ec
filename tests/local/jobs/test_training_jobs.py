"""Training jobs: real processes in their own /opt/ml, from S3 to S3."""

from __future__ import annotations

import json

TRAIN = """
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--C", type=float)
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


def channel(uri: str, name: str = "train") -> dict:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}}
    return {"ChannelName": name, "DataSource": source, "InputMode": "File"}


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
