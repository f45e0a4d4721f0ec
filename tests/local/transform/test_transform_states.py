"""`createTransformJob.sync` in a state machine: the job's description, its failure, and what the role needs."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

MACHINE = "arn:aws:iam::123456789012:role/machine"
NOT_BY_STATES = ("DataProcessing", "ModelClientConfig")
"""https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html does not have them"""


@pytest.fixture(scope="module", autouse=True)
def machine(cloud: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    verbs = ("CreateTransformJob", "DescribeTransformJob", "StopTransformJob")
    jobs = {
        "Effect": "Allow",
        "Action": [*(f"sagemaker:{verb}" for verb in verbs), "sagemaker:AddTags", "sagemaker:ListTags"],
        "Resource": "arn:aws:sagemaker:us-east-1:123456789012:transform-job/*",
    }
    rules = {
        "Effect": "Allow",
        "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        "Resource": "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForSageMakerTransformJobsRule",
    }
    cloud.iam.put_role(
        MACHINE,
        {"Version": "2012-10-17", "Statement": [trust]},
        {"m": {"Version": "2012-10-17", "Statement": [jobs, rules]}},
    )


def executed(transforms: Any, uri: str) -> dict[str, Any]:
    """Run a machine of one transform job to its end."""
    request = {key: value for key, value in transforms.request(uri).items() if key not in NOT_BY_STATES}
    states = {"Ask": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync", "End": True}}
    states["Ask"]["Arguments"] = request
    definition = {"QueryLanguage": "JSONata", "StartAt": "Ask", "States": states}
    client = transforms.cloud.client("stepfunctions")
    name = f"machine-{uuid.uuid4()}"
    made = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=MACHINE)
    execution = client.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    for _ in range(3000):
        found = client.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return dict(found)
        time.sleep(0.01)
    raise AssertionError("the execution does not end")


def test_its_output_is_the_jobs_description(transforms: Any) -> None:
    found = executed(transforms, transforms.put({"a.csv": "1,2\n"}))
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["TransformJobStatus"] == "Completed"
    assert transforms.outputs() == {"a.csv.out": "3\n"}


def test_a_failed_job_is_a_failed_task(transforms: Any) -> None:
    found = executed(transforms, transforms.put({"a.csv": "x\n"}))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["FailureReason"].endswith("See job logs for more information")
