"""What the state machine asks of AWS, against AWS's own models of its APIs."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from workflow_answers import EVENT, Answers, described, manifest, ready_plan, substituted
from workflow_walk import TaskError, Walk

from modelwright.local.stepfunctions.payloads import to_request
from modelwright.workflow.definition import definition
from modelwright.workflow.integration_fields import FIELDS
from modelwright.workflow.structure import ENDPOINT_KINDS, Network, Surroundings, WorkflowStructure

RESOURCE = re.compile(r"arn:aws:states:::(?P<sdk>aws-sdk:)?(?P<service>[a-z]+):(?P<call>[A-Za-z]+)(?P<sync>\.sync)?")
OPTIMIZED = {"createProcessingJob", "createTrainingJob", "createModel", "createEndpoint"}
OLD = "dev-penguins-000000000000-00"
FULLEST = Surroundings(network=Network(("subnet-01234567", "subnet-12345678"), ("sg-01234567",)), tags={"team": "ml"})
NVME = {"instance": "ml.g5.xlarge", "instance_count": 1, "keep": 1, "content_types": ["a/b"], "image": "i"}


STRUCTURES = {
    **{kind: WorkflowStructure("penguins", kind) for kind in ENDPOINT_KINDS},
    "full": WorkflowStructure("penguins", "realtime", autoscaling=True, capture=True, shadow=True),
    "script": WorkflowStructure("penguins", script_image=True),
    "compiled": WorkflowStructure("penguins", compiled=True),
    "queue": WorkflowStructure("penguins", "async", autoscaling=True),
}
HOSTED: dict[str, dict[str, Any]] = {
    "serverless": {"endpoint": "serverless", "serverless": {"memory_gib": 2, "max_concurrency": 200}},
    "async": {"endpoint": "async", "async": {"concurrent_per_instance": 4}},
    "full": {
        "capture": {"percent": 100},
        "update": {"traffic": "canary", "percent": 10, "wait_seconds": 300},
        "shadow": {"percent": 50, "minutes": 30},
        "autoscaling": {"min": 2, "max": 4, "requests_per_instance": 1000, "backlog_per_instance": None}
        | {"scale_in_seconds": 300, "scale_out_seconds": 60},
    },
}
"""What releases of such a kind have beside what all have."""


def document(structure: str) -> dict[str, Any]:
    text = substituted(json.dumps(definition(STRUCTURES[structure], FULLEST)))
    found: dict[str, Any] = json.loads(text)
    return found


def runs() -> list[Walk]:
    """Runs that together enter every task, with and without isolation and keys for volumes."""
    failed = {"Payload": {"passed": False, "clauses": []}}
    superseded = {"Payload": {"status": "Superseded", "champion": "f" * 12}}
    code = {**ready_plan()["run"]["code"], "requirements": True}
    again = TaskError("SageMaker.SageMakerException", "Could not find endpoint x")
    every: list[tuple[str, dict[str, Any]]] = [
        ("realtime", {}),
        ("none", {}),
        ("realtime", {"CheckQualityGate": failed}),
        ("realtime", {"AcquireDeployment": superseded}),
        ("realtime", {"InspectEndpoint": described("InService", OLD), "SmokeTest": TaskError("E", None)}),
        ("realtime", {"InspectEndpoint": [described("Failed", OLD), again]}),
        ("realtime", {"PrepareRun": {"Payload": ready_plan(code=code, deploy=NVME)}}),
        *((kind, {"PrepareRun": {"Payload": hosted(kind)}}) for kind in ENDPOINT_KINDS[1:-1]),
        *((kind, {"PrepareRun": {"Payload": hosted(kind)}, "InspectEndpoint": serving(kind)}) for kind in HOSTED),
        ("compiled", {"FindServingImage": TaskError("Ecr.ImageNotFoundException", "no image")}),
        ("script", {"FindServingImage": TaskError("Ecr.ImageNotFoundException", "no image")}),
    ]
    return [Walk(document(endpoint), Answers(**changes), EVENT).run() for endpoint, changes in every]


def hosted(kind: str) -> dict[str, Any]:
    """The plan of a release that is hosted so."""
    return ready_plan(deploy={**manifest()["deploy"], **HOSTED.get(kind, {"endpoint": kind})})


def serving(kind: str) -> dict[str, Any]:
    """An endpoint of the kind that serves already."""
    size = {"CurrentServerlessConfig": {}} if kind == "serverless" else {}
    queue = {"AsyncInferenceConfig": {"OutputConfig": {}}} if kind in {"async", "queue"} else {}
    return described("InService", OLD, ProductionVariants=[{"VariantName": "AllTraffic", **size}], **queue)


EVERY_STATE: dict[str, Any] = {name: state for each in STRUCTURES for name, state in document(each)["States"].items()}


@cache
def requests() -> list[tuple[str, str, Any]]:
    """Each request of the runs: state, resource, arguments."""
    states = EVERY_STATE
    return [(name, states[name]["Resource"], given) for walk in runs() for name, given in walk.asked]


@cache
def service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def operation(resource: str) -> Any:
    found = RESOURCE.fullmatch(resource)
    assert found, resource
    call = found["call"]
    return service_model(found["service"]).operation_model(call[0].upper() + call[1:])


def test_the_runs_enter_every_task() -> None:
    states = EVERY_STATE
    tasks = {name for name, state in states.items() if state["Type"] == "Task"}
    assert {name for name, _, _ in requests()} == tasks


def as_api_takes_it(resource: str, given: Any) -> Any:
    """Step Functions sends `Payload` as JSON, where the API's field is bytes, and takes all names in PascalCase."""
    if "lambda:invoke" in resource:
        given = {**given, "Payload": json.dumps(given["Payload"]).encode()}
    return to_request(given, operation(resource).input_shape)


def test_every_request_is_valid_in_botocore_s_model() -> None:
    problems = []
    for name, resource, given in requests():
        report = ParamValidator().validate(as_api_takes_it(resource, given), operation(resource).input_shape)
        problems += [f"{name}: {report.generate_report()}"] if report.has_errors() else []
    assert problems == []


def patterns(shape: Any, value: Any, path: str) -> list[str]:
    """Values that break a length or a pattern of the model, which botocore does not check itself."""
    if shape.type_name == "structure":
        return [text for key, item in value.items() for text in patterns(shape.members[key], item, f"{path}.{key}")]
    if shape.type_name == "list":
        problems = [text for item in value for text in patterns(shape.member, item, f"{path}[]")]
        longest = shape.metadata.get("max", len(value))
        return problems + ([] if shape.metadata.get("min", 0) <= len(value) <= longest else [f"{path}: {len(value)}"])
    if shape.type_name == "map":
        return [text for key, item in value.items() for text in patterns(shape.value, item, f"{path}.{key}")]
    if shape.type_name == "string":
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**6)
        wrong = not low <= len(value) <= high or (shape.enum and value not in shape.enum)
        return [f"{path}: {value[:60]!r}"] if wrong else []
    if shape.type_name in {"integer", "long"}:
        low, high = shape.metadata.get("min", value), shape.metadata.get("max", value)
        return [] if low <= value <= high else [f"{path}: {value}"]
    return []


def test_every_value_has_an_allowed_length_and_every_choice_is_one_of_the_model_s() -> None:
    found = [
        problem
        for name, resource, given in requests()
        if "lambda" not in resource and "dynamodb" not in resource  # a payload, and a recursive shape
        for problem in patterns(operation(resource).input_shape, as_api_takes_it(resource, given), name)
    ]
    assert found == []


def test_the_check_of_lengths_can_fail() -> None:
    shape = service_model("sagemaker").operation_model("CreateProcessingJob").input_shape
    assert patterns(shape, {"ProcessingJobName": "x" * 64}, "r") == [f"r.ProcessingJobName: {'x' * 60!r}"]
    assert patterns(shape, {"AppSpecification": {"ContainerArguments": []}}, "r") == [
        "r.AppSpecification.ContainerArguments: 0"
    ]


@pytest.mark.parametrize("call", sorted(OPTIMIZED))
def test_optimized_integrations_get_only_fields_that_aws_documents(call: str) -> None:
    given = [
        set(arguments)
        for _, resource, arguments in requests()
        if re.fullmatch(rf"arn:aws:states:::sagemaker:{call}(\.sync)?", resource)
    ]
    assert given
    assert set().union(*given) <= FIELDS[call]


def test_every_optimized_sagemaker_call_is_in_the_list() -> None:
    called = {
        match["call"]
        for _, resource, _ in requests()
        if (match := RESOURCE.fullmatch(resource)) and match["service"] == "sagemaker" and not match["sdk"]
    }
    assert called == OPTIMIZED


def test_jobs_are_encrypted_bounded_and_isolated() -> None:
    jobs = [(name, given) for name, resource, given in requests() if resource.endswith("Job.sync")]
    for name, given in jobs:
        machines = given.get("ResourceConfig") or given["ProcessingResources"]["ClusterConfig"]
        output = given.get("OutputDataConfig") or given["ProcessingOutputConfig"]
        assert machines["VolumeKmsKeyId"].startswith("arn:aws:kms:"), name
        assert output["KmsKeyId"].startswith("arn:aws:kms:"), name
        assert given["StoppingCondition"]["MaxRuntimeInSeconds"] == 3600, name
        assert {tag["Key"] for tag in given["Tags"]} >= {"modelwright:pipeline", "modelwright:run"}, name


def test_a_key_for_volumes_is_left_out_where_the_disks_are_encrypted_by_hardware() -> None:
    configs = [given for name, _, given in requests() if name == "CreateEndpointConfig"]
    by_instance = {given["ProductionVariants"][0].get("InstanceType"): "KmsKeyId" in given for given in configs}
    assert by_instance == {"ml.t2.medium": True, "ml.g5.xlarge": False, None: False}


def test_no_request_comes_near_the_payload_limit() -> None:
    assert max(len(json.dumps(given)) for _, _, given in requests()) < 16 * 1024  # of 256 KiB
