"""The pipeline's own definition, whole, in the interpreter: each expression evaluated, each request of AWS's shape."""

import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.validate import ParamValidator
from workflow_answers import ENDPOINT, EVENT, PACKAGE_ARN, SHA, Answers, described, substituted
from workflow_walk import EXECUTION, RUN

from modelwright.local.stepfunctions.checks import problems
from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure

ROLE = "arn:aws:iam::123456789012:role/machine"


def pipeline(endpoint="realtime"):
    return substituted(json.dumps(definition(WorkflowStructure("penguins", endpoint))))


@pytest.fixture
def deployed(cloud, refusal):
    """The services around the machine as they are in a good run; the table may be changed."""
    cloud.region = "eu-west-1"
    answers = Answers(
        InspectEndpoint=[
            refusal("ValidationException", f'Could not find endpoint "{ENDPOINT}".'),
            described("InService", f"dev-penguins-{RUN}-00"),
        ]
    )
    sagemaker = cloud.sagemaker
    sagemaker.instant = "Completed"
    create_training = sagemaker.answers["create_training_job"]

    def train(**request):
        made = create_training(**request)
        sagemaker.jobs[request["TrainingJobName"]]["ModelArtifacts"] = answers.table["TrainModel"]["ModelArtifacts"]
        return made

    def invoke(FunctionName, **_):  # noqa: N803  # AWS's name
        raw = json.dumps(answers(FunctionName.rpartition(":")[2], None)["Payload"]).encode()
        return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(raw), len(raw))}

    sagemaker.answers |= {
        "create_training_job": train,
        "create_model_package": {"ModelPackageArn": PACKAGE_ARN},
        "create_model": answers.table["CreateModel"],
        "create_endpoint_config": answers.table["CreateEndpointConfig"],
        "create_endpoint": answers.table["CreateEndpoint"],
        "update_endpoint": answers.table["UpdateEndpoint"],
        "describe_endpoint": lambda **_: answers("InspectEndpoint", None),
    }
    cloud.api("lambda").answers["invoke"] = invoke
    cloud.api("sns").answers["publish"] = {"MessageId": "m"}
    for call in ("update_item", "put_item", "delete_item"):
        cloud.api("dynamodb").answers[call] = {}
    return answers


def run(states, endpoint="realtime"):
    machine = states.call("CreateStateMachine", name="penguins", definition=pipeline(endpoint), roleArn=ROLE)
    started = states.call(
        "StartExecution", stateMachineArn=machine["stateMachineArn"], name="a_b", input=json.dumps(EVENT)
    )
    assert started["executionArn"] == EXECUTION
    return states.wait(EXECUTION)


@pytest.mark.parametrize("endpoint", ["realtime", "none"])
def test_step_functions_would_take_the_definition(endpoint):
    assert problems(pipeline(endpoint)) == []


def test_a_good_run_deploys(states, cloud, deployed):
    found = run(states)
    assert found.get("cause") is None
    assert found["output"] == {
        "status": "Deployed",
        "pipeline": "penguins",
        "run": RUN,
        "release": SHA,
        "metrics": {"accuracy": 0.9},
        "gate": [{"text": "accuracy >= 0.80", "passed": True, "found": 0.9, "limit": 0.8}],
        "modelPackageArn": PACKAGE_ARN,
        "model": {"sha256": SHA, "serve": "framework", "reason": ""},
        "endpoint": ENDPOINT,
    }


def test_every_request_of_a_good_run_is_one_that_boto_takes(states, cloud, deployed):
    run(states)
    checked = 0
    for api in cloud.apis.values():
        methods = {operation.lower(): operation for operation in api.meta.service_model.operation_names}
        for method, request in api.calls:
            operation = api.meta.service_model.operation_model(methods[method.replace("_", "")])
            report = ParamValidator().validate(request, operation.input_shape)
            assert not report.has_errors(), (method, report.generate_report())
            checked += 1
    assert checked > 20


def test_without_an_endpoint_the_run_ends_registered(states, cloud, deployed):
    assert run(states, "none")["output"]["status"] == "Registered"


def test_a_job_that_fails_ends_the_run_with_its_own_error(states, cloud, deployed):
    cloud.sagemaker.instant = "Failed"
    found = run(states)
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert found["cause"].startswith("ProcessData")
    messages = [json.dumps(request) for request in cloud.api("sns").requests("publish")]
    assert any("ProcessData" in message for message in messages)
