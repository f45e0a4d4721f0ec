"""Data capture, from `run` to the lines in the artifact bucket."""

import json

import pytest

from modelwright.local.daemon.attach import attach

DEPLOY = (
    "deploy: {endpoint: realtime, instance: ml.m5.large, instance_count: 1, smoke_test: data/smoke.csv, "
    "capture: {percent: 100}}\n"
)


@pytest.fixture(scope="module")
def captured(whole):
    """The project whose endpoint captures, its local cloud kept up and a first model deployed."""
    path = whole.folder / "pipeline.yaml"
    lines = [DEPLOY if line.startswith("deploy:") else line for line in path.read_text().splitlines(keepends=True)]
    path.write_text("".join(lines))
    whole.git("commit", "-qam", "captured")
    whole.cli("up")
    ended = whole.run()
    assert ended["status"] == "Deployed", ended
    return whole


def test_each_request_and_its_answer_are_a_line_in_the_artifact_bucket(captured):
    answer = captured.cli("predict", "penguins", "--row", '{"species": "Adelie", "island": "Dream"}', code=1)
    assert "400" in answer, "not captured: the model refused it"
    captured.predictions()
    captured.cli("down")
    captured.cli("up")
    found = lines(captured)
    types = [each["captureData"]["endpointInput"]["observedContentType"] for each in found]
    assert types == ["text/csv", "text/csv"], "the smoke test's and this one's"
    answers = [json.loads(each["captureData"]["endpointOutput"]["data"]) for each in found]
    assert answers[0] == answers[1] == captured.predictions()


def lines(whole):
    with attach(whole.root) as local:
        s3 = whole.session(local).client("s3")
        (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "artifact" in each["Name"]]
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="capture/penguins/")["Contents"]]
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in sorted(keys)]
    return [json.loads(line) for body in bodies for line in body.splitlines()]
