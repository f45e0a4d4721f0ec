"""An asynchronous endpoint from `run` to `predict`, with machines from zero."""

import pytest

from modelwright.local.daemon.attach import attach

DEPLOY = (
    "deploy: {endpoint: async, instance: ml.m5.large, smoke_test: data/smoke.csv, async: {concurrent_per_instance: 2}, "
    "autoscaling: {min: 0, max: 2, backlog_per_instance: 5}}\n"
)


@pytest.fixture(scope="module")
def later(whole):
    """The project with an asynchronous endpoint, its local cloud kept up and a first model deployed."""
    path = whole.folder / "pipeline.yaml"
    lines = [DEPLOY if line.startswith("deploy:") else line for line in path.read_text().splitlines(keepends=True)]
    path.write_text("".join(lines))
    whole.git("commit", "-qam", "asynchronous")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_MINUTE_SECONDS", "1")
        whole.cli("up")
    ended = whole.run()
    assert ended["status"] == "Deployed", ended
    return whole


def test_an_answer_is_waited_for(later):
    assert {each["sex"] for each in later.predictions()["predictions"]} <= {"female", "male"}


def test_a_failure_has_the_models_own_words(later):
    said = later.cli("predict", "penguins", "--row", '{"species": "Adelie"}', code=1)
    assert "The request failed: " in said
    assert "is missing" in said
    assert "/failure/" in said


def test_one_of_several_models_cannot_be_asked(later):
    said = later.cli("predict", "penguins", "--row", "{}", "--model", "north", code=2)
    assert "--model north: penguins has one model" in said


def test_traffic_is_for_endpoints_that_answer(later):
    assert "It takes realtime or serverless." in later.cli("run", "penguins", "--traffic", "5rps", code=2)


def test_an_answer_starts_the_first_machine(later):
    with attach(later.root) as local:
        client = later.session(local).client("sagemaker")
        name = {"EndpointName": "mw-dev-penguins"}
        (variant,) = client.describe_endpoint(**name)["ProductionVariants"]
        nothing = [{"VariantName": variant["VariantName"], "DesiredInstanceCount": 0}]
        client.update_endpoint_weights_and_capacities(**name, DesiredWeightsAndCapacities=nothing)
        client.get_waiter("endpoint_in_service").wait(**name, WaiterConfig={"Delay": 1})
        assert client.describe_endpoint(**name)["ProductionVariants"][0]["CurrentInstanceCount"] == 0
        assert later.predictions()["predictions"]
        assert client.describe_endpoint(**name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_the_server_takes_what_a_queue_does(later):
    with attach(later.root) as local:
        client = later.session(local).client("sagemaker")
        config = client.describe_endpoint(EndpointName="mw-dev-penguins")["EndpointConfigName"]
        (variant,) = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        environment = client.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["Environment"]
        assert (
            environment["MODELWRIGHT_REQUEST_TIMEOUT_SECONDS"]
            == environment["SAGEMAKER_MODEL_SERVER_TIMEOUT"]
            == "3600"
        )
        assert environment["MODELWRIGHT_MAX_BODY_BYTES"] == "1073741824"


def test_a_new_model_answers_after_an_update(later):
    before = later.predictions()
    assert later.run("-p", "C=0.5")["status"] == "Deployed"
    assert later.predictions() != before
