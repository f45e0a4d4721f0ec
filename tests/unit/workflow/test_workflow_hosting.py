"""The ways through the state machine that only some ways to host have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workflow_answers import (
    CONFIG,
    ENDPOINT,
    EVENT,
    SHADOW,
    TOPIC,
    Answers,
    described,
    manifest,
    ready_plan,
    substituted,
    watched,
)
from workflow_walk import RUN, TaskError, Walk

from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure

OLD = "dev-penguins-000000000000-00"
SCALING = {"min": 1, "max": 4, "requests_per_instance": 100, "backlog_per_instance": None}
SCALING |= {"scale_in_seconds": 300, "scale_out_seconds": 60}
PARTS: dict[str, dict[str, Any]] = {
    "autoscaling": {"autoscaling": SCALING},
    "capture": {"capture": {"percent": 20}},
    "shadow": {"shadow": {"percent": 50, "minutes": 30}},
}


def walk(structure: WorkflowStructure, deploy: dict[str, Any] | None = None, **changes: Any) -> Walk:
    """A run of a release of this structure, whose endpoint serves already unless `changes` say otherwise."""
    own = {key: value for name, part in PARTS.items() if getattr(structure, name) for key, value in part.items()}
    settings = {**manifest()["deploy"], "endpoint": structure.endpoint, **own, **(deploy or {})}
    plan = {"Payload": ready_plan(deploy=settings)}
    answers = Answers(**{"PrepareRun": plan, "InspectEndpoint": described("InService", OLD), **changes})
    return Walk(json.loads(substituted(json.dumps(definition(structure)))), answers, EVENT).run()


def asked(done: Walk, state: str) -> Any:
    return next(given for name, given in done.asked if name == state)


def test_a_serverless_endpoint_has_a_size_and_no_guardrails_no_isolation_and_no_key() -> None:
    serving = described(
        "InService", OLD, ProductionVariants=[{"VariantName": "AllTraffic", "CurrentServerlessConfig": {}}]
    )
    size = {"serverless": {"memory_gib": 2, "max_concurrency": 10}}
    done = walk(WorkflowStructure("penguins", "serverless"), size, InspectEndpoint=serving)

    (variant,) = asked(done, "CreateEndpointConfig")["ProductionVariants"]
    assert variant == {
        "VariantName": "AllTraffic",
        "ModelName": CONFIG,
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 10},
    }
    assert "KmsKeyId" not in asked(done, "CreateEndpointConfig")
    assert asked(done, "CreateModel")["EnableNetworkIsolation"] is False
    assert asked(done, "UpdateEndpoint") == {"EndpointName": ENDPOINT, "EndpointConfigName": CONFIG}
    assert "InspectAlarms" not in done.path
    assert done.output["status"] == "Deployed"


def test_an_asynchronous_endpoint_says_where_answers_go_and_who_is_told() -> None:
    serving = described("InService", OLD, AsyncInferenceConfig={"OutputConfig": {}})
    done = walk(
        WorkflowStructure("penguins", "async"), {"async": {"concurrent_per_instance": 4}}, InspectEndpoint=serving
    )

    config = asked(done, "CreateEndpointConfig")["AsyncInferenceConfig"]
    assert config["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 4}
    assert config["OutputConfig"]["S3OutputPath"] == "s3://mw-artifacts/async/penguins/output/"
    assert config["OutputConfig"]["S3FailurePath"] == "s3://mw-artifacts/async/penguins/failure/"
    assert config["OutputConfig"]["NotificationConfig"] == {"SuccessTopic": TOPIC, "ErrorTopic": TOPIC}
    assert asked(done, "SmokeTest")["Payload"]["kind"] == "async"
    assert "DeploymentConfig" in asked(done, "UpdateEndpoint")


def test_several_models_are_a_prefix_and_each_is_asked() -> None:
    done = walk(WorkflowStructure("penguins", "multi-model"))

    container = asked(done, "CreateModel")["PrimaryContainer"]
    assert container["Mode"] == "MultiModel"
    assert container["ModelDataUrl"] == f"s3://mw-artifacts/models/penguins/multi/{RUN}/"
    assert asked(done, "RegisterModel")["InferenceSpecification"]["Containers"][0]["ModelDataUrl"].endswith(".tar.gz")
    assert asked(done, "SmokeTest")["Payload"]["models"] == ["small", "large"]


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (None, {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}),
        ({"traffic": "all-at-once", "percent": None, "wait_seconds": 60}, {"Type": "ALL_AT_ONCE"}),
        ({"traffic": "canary", "percent": 10, "wait_seconds": 60}, {"Type": "CANARY", "CanarySize": 10}),
        ({"traffic": "linear", "percent": 20, "wait_seconds": 60}, {"Type": "LINEAR", "LinearStepSize": 20}),
    ],
)
def test_the_traffic_moves_as_the_release_says(update: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    done = walk(WorkflowStructure("penguins"), {"update": update})

    policy = asked(done, "UpdateEndpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    sizes = {name: {"Type": "CAPACITY_PERCENT", "Value": expected[name]} for name in expected if name.endswith("Size")}
    assert policy == {**expected, **sizes, "WaitIntervalInSeconds": 300 if update is None else 60}


def test_variants_of_other_names_are_updated_without_guardrails() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"""
    before = described("InService", OLD, ProductionVariants=[{"VariantName": "One"}, {"VariantName": "Two"}])
    done = walk(WorkflowStructure("penguins"), InspectEndpoint=before)

    assert asked(done, "UpdateEndpoint") == {"EndpointName": ENDPOINT, "EndpointConfigName": CONFIG}


@pytest.mark.parametrize("names", [["One", "Two"], ["Two", "One"]])
def test_the_same_variants_in_another_order_are_guarded(names: list[str]) -> None:
    fleets = [{"name": name, "weight": 1, "instance": "ml.m5.large", "instance_count": 2} for name in ("One", "Two")]
    before = described("InService", OLD, ProductionVariants=[{"VariantName": name} for name in names])
    done = walk(WorkflowStructure("penguins"), {"variants": fleets}, InspectEndpoint=before)

    assert [each["VariantName"] for each in asked(done, "CreateEndpointConfig")["ProductionVariants"]] == ["One", "Two"]
    assert "DeploymentConfig" in asked(done, "UpdateEndpoint")


@pytest.mark.parametrize(
    ("kind", "serving"),
    [
        ("serverless", {}),
        ("async", {}),
        ("realtime", {"AsyncInferenceConfig": {"OutputConfig": {}}}),
        ("realtime", {"ProductionVariants": [{"VariantName": "AllTraffic", "CurrentServerlessConfig": {}}]}),
    ],
)
def test_an_endpoint_of_another_kind_is_left_alone_and_says_why(kind: str, serving: dict[str, Any]) -> None:
    size = {"serverless": {"memory_gib": 2, "max_concurrency": 10}} if kind == "serverless" else {}
    queue = {"async": {"concurrent_per_instance": 4}} if kind == "async" else {}
    structure = WorkflowStructure("penguins", kind)
    done = walk(structure, {**size, **queue}, InspectEndpoint=described("InService", OLD, **serving))

    assert done.failure is not None
    assert done.failure[0] == "EndpointOfOtherKind"
    assert kind in done.failure[1]
    assert not {"UpdateEndpoint", "RestoreEndpoint", "DeleteFailedEndpoint"} & set(done.path)
    assert done.path.index("ExplainOtherKind") < done.path.index("ReleaseFailedLease")


def test_a_new_model_is_first_the_champion_s_shadow() -> None:
    done = walk(WorkflowStructure("penguins", shadow=True))

    config = asked(done, "CreateShadowConfig")
    assert config["EndpointConfigName"] == SHADOW
    assert [each["ModelName"] for each in config["ProductionVariants"]] == [OLD]
    (shadow,) = config["ShadowProductionVariants"]
    assert shadow == {
        "VariantName": "Shadow",
        "ModelName": CONFIG,
        "InstanceType": "ml.t2.medium",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,  # half of the champion's 2
    }
    assert asked(done, "StartShadow") == {"EndpointName": ENDPOINT, "EndpointConfigName": SHADOW}
    assert 1800 in done.waits
    assert [given["Payload"]["endpoint_config"] for name, given in done.asked if name == "WatchEndpoint"] == [
        SHADOW,
        CONFIG,
    ]
    assert done.path.index("JudgeShadow") < done.path.index("UpdateEndpoint") < done.path.index("SmokeTest")
    assert done.output["status"] == "Deployed"


def test_a_first_deployment_has_nobody_to_be_the_shadow_of() -> None:
    absent = TaskError("SageMaker.SageMakerException", f'Could not find endpoint "{ENDPOINT}".')
    done = walk(WorkflowStructure("penguins", shadow=True), InspectEndpoint=absent)

    assert "StartShadow" not in done.path
    assert done.output["status"] == "Deployed"


def test_a_model_that_was_bad_in_the_shadow_is_rolled_back_with_the_reason() -> None:
    bad = {"good": False, "reason": "9 of 9 answers were errors", "requests": 9, "errors": 9, "latencyMs": 1.0}
    done = walk(WorkflowStructure("penguins", shadow=True), JudgeShadow={"Payload": bad})

    assert done.failure == ("RolledBack", "JudgeShadow: 9 of 9 answers were errors")
    assert "UpdateEndpoint" not in done.path
    assert asked(done, "RestoreEndpoint")["Payload"]["previous_config"] == OLD
    assert asked(done, "MarkRunFailed")["ExpressionAttributeValues"][":status"] == {"S": "RolledBack"}


def test_a_shadow_that_does_not_come_up_is_rolled_back() -> None:
    back = {"Payload": watched("RolledBack", OLD, "the container did not pass its ping")}
    done = walk(WorkflowStructure("penguins", shadow=True), WatchEndpoint=back)

    assert done.failure is not None
    assert done.failure[0] == "RolledBack"
    assert SHADOW in done.failure[1]


def test_a_champion_with_several_variants_has_no_shadow_and_the_run_says_so() -> None:
    several = {"ProductionVariants": [{"VariantName": "One"}, {"VariantName": "Two"}]}
    done = walk(WorkflowStructure("penguins", shadow=True), InspectChampion=several)

    assert done.failure is not None
    assert done.failure[0] == "ShadowNotPossible"
    assert "RestoreEndpoint" not in done.path


def test_scaling_is_put_aside_before_the_update_and_set_when_the_model_answers() -> None:
    kept = {"RetainAllVariantProperties": True}
    prepared = {"Payload": {"found": True, "targets": [], "retained": kept}}
    done = walk(WorkflowStructure("penguins", autoscaling=True), PrepareScaling=prepared)

    assert asked(done, "UpdateEndpoint")["RetainAllVariantProperties"] is True
    assert asked(done, "SetScaling")["Payload"]["autoscaling"] == SCALING
    order = ["PrepareScaling", "UpdateEndpoint", "SmokeTest", "SetScaling", "PromoteModel"]
    assert [name for name in done.path if name in order] == order


@pytest.mark.parametrize("broken", ["PrepareScaling", "InspectAlarms", "UpdateEndpoint", "SmokeTest", "SetScaling"])
def test_whatever_fails_then_is_told_how_the_endpoint_scaled(broken: str) -> None:
    target = {"variant": "AllTraffic", "min": 1, "max": 2, "policies": []}
    found = {"found": True, "targets": [target], "retained": {}}
    answers = {"PrepareScaling": {"Payload": found}, broken: TaskError("E", "no")}
    done = walk(WorkflowStructure("penguins", autoscaling=True), **answers)

    told = asked(done, "RestoreEndpoint")["Payload"]["scaling"]
    assert told == ({"found": False} if broken == "PrepareScaling" else found)


def test_what_is_captured_goes_where_the_plan_says() -> None:
    done = walk(WorkflowStructure("penguins", capture=True))

    found = asked(done, "CreateEndpointConfig")["DataCaptureConfig"]
    assert found["EnableCapture"] is True
    assert found["InitialSamplingPercentage"] == 20
    assert found["DestinationS3Uri"] == "s3://mw-artifacts/capture/penguins"


def test_a_deployment_that_an_alarm_sent_back_is_told_as_one() -> None:
    back = {"Payload": watched("RolledBack", OLD, "The alarm errors is in ALARM")}
    done = walk(WorkflowStructure("penguins"), WatchEndpoint=back)

    told = asked(done, "NotifyFailure")
    assert told["Subject"] == "penguins: deployment rolled back"
    assert told["MessageAttributes"]["status"]["StringValue"] == "RolledBack"
    assert "The alarm errors is in ALARM" in told["Message"]
