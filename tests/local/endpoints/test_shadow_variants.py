"""Shadow variants: they get copies, and nobody gets their answers or waits for them."""

from __future__ import annotations

import json
import os

import pytest
from botocore.exceptions import ClientError

CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://models/captured/shadow/",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}
WAITS = """
import pathlib
def model_fn(d): return pathlib.Path(d, "gate.txt").read_text()
def predict_fn(data, gate):
    with open(gate) as opened:
        return opened.read()
"""


def shadowed(hosting, shadow, share=1.0, weight=1.0, **more):
    config = hosting.variants(
        {"ModelName": hosting.model(factor=1), "InitialVariantWeight": weight},
        ShadowProductionVariants=[shadow_variant(shadow, share)],
        **more,
    )
    return hosting.served(config)


def shadow_variant(model, share=1.0, **more):
    return {
        "VariantName": "shadow",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": share,
        **more,
    }


def test_a_shadow_gets_copies_and_its_answers_are_dropped(hosting):
    name = shadowed(hosting, hosting.model(factor=100))
    assert [hosting.ask(name) for _ in range(3)] == [[3.0]] * 3
    assert (hosting.total(name, "Invocations"), hosting.total(name, "Invocations", "shadow")) == (3, 3)
    assert hosting.total(name, "ModelLatency", "shadow") > 0
    assert hosting.total(name, "InvocationsPerInstance", "shadow") == 3


def test_both_answers_to_a_request_are_captured_under_one_event(hosting):
    name = shadowed(hosting, hosting.model(factor=100), DataCaptureConfig=CAPTURE)
    hosting.ask(name)
    hosting.cloud.services["sagemaker-runtime"].flush()
    found = {variant: line(hosting, name, variant) for variant in ("v0", "shadow")}
    answers = {variant: each["captureData"]["endpointOutput"]["data"] for variant, each in found.items()}
    assert answers == {"v0": "[3.0]", "shadow": "[300.0]"}
    assert len({each["eventMetadata"]["eventId"] for each in found.values()}) == 1


def line(hosting, name, variant):
    (found,) = hosting.cloud.s3.list("models", f"captured/shadow/{name}/{variant}/")
    return json.loads(found.path.read_text())


def test_a_shadow_that_fails_or_dies_is_its_own_affair(hosting):
    script = "import os\ndef model_fn(d): return lambda x: os._exit(3)\n"
    name = shadowed(hosting, hosting.model(script=script))
    assert [hosting.ask(name) for _ in range(2)] == [[3.0]] * 2
    assert hosting.total(name, "InvocationModelErrors", "shadow") == 2
    assert hosting.total(name, "InvocationModelErrors") == 0


def test_nobody_waits_for_a_shadow(hosting, archive, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    name = shadowed(hosting, hosting.model(archive({"gate.txt": str(gate), "code/inference.py": WAITS})))
    assert hosting.ask(name) == [3.0]
    assert hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet.in_use("shadow") == 1
    with gate.open("w") as opened:  # it is inside the shadow's predict_fn
        opened.write("late")
    assert hosting.total(name, "Invocations", "shadow") == 1


def test_nobody_can_ask_a_shadow(hosting):
    name = shadowed(hosting, hosting.model())
    with pytest.raises(ClientError, match="Variant shadow of endpoint"):
        hosting.ask(name, TargetVariant="shadow")


def test_the_share_is_the_shadows_weight_by_the_production_variants(hosting):
    name = shadowed(hosting, hosting.model(), share=2.0, weight=4.0)
    for _ in range(60):
        hosting.ask(name)
    assert 10 <= hosting.total(name, "Invocations", "shadow") <= 50
    hosting.client.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "shadow", "DesiredWeight": 0.0}]
    )
    found = hosting.settled(name)
    assert [each["VariantName"] for each in found["ProductionVariants"]] == ["v0"]
    assert [each["CurrentWeight"] for each in found["ShadowProductionVariants"]] == [0.0]
    before = hosting.total(name, "Invocations", "shadow")
    hosting.ask(name)
    assert hosting.total(name, "Invocations", "shadow") == before


def test_a_shadow_that_does_not_start_fails_the_endpoint(hosting):
    config = hosting.variants(
        {"ModelName": hosting.model()}, ShadowProductionVariants=[shadow_variant(hosting.model(script="x = 1"))]
    )
    found = hosting.settled(hosting.endpoint(config))
    assert (found["EndpointStatus"], "production variant shadow" in found["FailureReason"]) == ("Failed", True)


@pytest.mark.parametrize(
    ("variants", "shadows", "more", "reason"),
    [
        ([{}, {}], [{}], {}, "there is one production variant and one shadow; found 2 and 1"),
        ([{}], [{"InstanceType": "ml.inf1.xlarge"}], {}, "ml.inf1.xlarge; such instances have no shadow"),
        ([{"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}], [{}], {}, "has no shadow variants"),
        (
            [{}],
            [{}],
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://models/out/"}}},
            "An asynchronous endpoint has no shadow variants",
        ),
    ],
)
def test_what_cannot_have_a_shadow_is_refused(hosting, variants, shadows, more, reason):
    model = hosting.model()
    with pytest.raises(ClientError) as caught:
        hosting.variants(
            *[{"ModelName": model, **each} for each in variants],
            ShadowProductionVariants=[shadow_variant(model, **each) for each in shadows],
            **more,
        )
    assert reason in caught.value.response["Error"]["Message"]


def test_several_models_have_no_shadow(hosting):
    hosting.client.create_model(
        ModelName="several-and-a-shadow",
        PrimaryContainer={"Image": hosting.image, "Mode": "MultiModel", "ModelDataUrl": "s3://models/several/"},
        ExecutionRoleArn=hosting.role,
    )
    with pytest.raises(ClientError, match="has several models"):
        hosting.variants(
            {"ModelName": "several-and-a-shadow"}, ShadowProductionVariants=[shadow_variant(hosting.model())]
        )
