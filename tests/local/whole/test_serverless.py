"""A serverless endpoint from `run` to `predict`: compiled, in our own image, without a process until somebody asks."""

import pytest

from modelwright.local.attach import attach

DEPLOY = "deploy: {endpoint: serverless, serverless: {memory_gib: 2, max_concurrency: 3}, smoke_test: data/smoke.csv}\n"


@pytest.fixture(scope="module")
def serverless(whole):
    """The project with a serverless endpoint, its local cloud kept up and a first model deployed."""
    path = whole.folder / "pipeline.yaml"
    lines = [DEPLOY if line.startswith("deploy:") else line for line in path.read_text().splitlines(keepends=True)]
    path.write_text("".join(lines))
    whole.git("commit", "-qam", "serverless")
    whole.cli("up")
    ended = whole.run()
    assert ended["status"] == "Deployed", ended
    return whole


def test_it_answers_and_says_what_it_is(serverless):
    assert {each["sex"] for each in serverless.predictions()["predictions"]} <= {"female", "male"}
    with attach(serverless.root) as local:
        client = serverless.session(local).client("sagemaker")
        (variant,) = client.describe_endpoint(EndpointName="mw-dev-penguins")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 3}


def test_a_new_model_takes_over(serverless):
    before = serverless.predictions()
    assert serverless.run("-p", "C=0.5")["status"] == "Deployed"
    assert serverless.predictions() != before
