"""What is deployed is read from the stack's outputs."""

from __future__ import annotations

from typing import Any

import pytest
from fake_aws import FakeSession, refused

from modelwright.client.deployment import find_deployment, stack_names
from modelwright.errors import NotDeployed

OUTPUTS = {
    "StateMachineArn": "arn:machine",
    "EndpointName": "mw-dev-penguins",
    "ModelPackageGroupName": "mw-dev-penguins",
    "DataBucketName": "data",
    "ArtifactBucketName": "artifacts",
    "TableName": "mw-dev",
    "EventBusName": "mw-dev",
    "TopicArn": "arn:topic",
    "StateMachineLogGroup": "/aws/vendedlogs/x",
    "Structure": "s" * 64,
    "KeyArn": "arn:key",
}


class CloudFormation:
    def __init__(self, outputs: dict[str, str] | None) -> None:
        self.outputs = outputs

    def describe_stacks(self, **request: Any) -> dict[str, Any]:
        name = request["StackName"]
        if self.outputs is None:
            raise refused("ValidationError", f"Stack with id {name} does not exist", "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        return {"Stacks": [{"StackName": name, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]}


def test_the_outputs_are_all_that_is_known() -> None:
    found = find_deployment(FakeSession(cloudformation=CloudFormation(OUTPUTS)), "dev", "penguins")
    assert (found.pipeline, found.stack) == ("penguins", "mw-dev-penguins")
    assert (found.state_machine_arn, found.artifact_bucket, found.table) == ("arn:machine", "artifacts", "mw-dev")


@pytest.mark.parametrize(
    ("is_local", "option", "command"),
    [
        (True, "", "modelwright run penguins"),
        (False, "", "modelwright deploy penguins"),
        (True, " --env prod", "modelwright run penguins --env prod"),
        (False, " --env prod", "modelwright deploy penguins --env prod"),
    ],
)
def test_what_is_not_deployed_says_how_it_would_be(*, is_local: bool, option: str, command: str) -> None:
    session = FakeSession(cloudformation=CloudFormation(None), is_local=is_local, environment_option=option)
    with pytest.raises(NotDeployed) as error:
        find_deployment(session, "dev", "penguins")
    assert str(error.value) == f"penguins is not deployed: there is no stack mw-dev-penguins.\n`{command}` makes it."


def test_a_stack_of_another_kind_is_not_ours() -> None:
    outputs = {key: value for key, value in OUTPUTS.items() if key not in {"TableName", "TopicArn"}}
    with pytest.raises(NotDeployed) as error:
        find_deployment(FakeSession(cloudformation=CloudFormation(outputs)), "dev", "penguins")
    assert str(error.value).startswith(
        "The stack mw-dev-penguins (CREATE_COMPLETE) has no output TableName, TopicArn.\n"
    )


def test_an_environment_without_a_key_of_its_own_says_none() -> None:
    outputs = {key: value for key, value in OUTPUTS.items() if key != "KeyArn"}
    found = find_deployment(FakeSession(cloudformation=CloudFormation(outputs)), "dev", "penguins")
    assert found.key_arn is None


def test_another_refusal_is_not_taken_for_a_missing_stack() -> None:
    class Denied:
        def describe_stacks(self, **_: Any) -> None:
            raise refused("AccessDenied", "not authorized", "DescribeStacks")

    with pytest.raises(Exception, match="AccessDenied"):
        find_deployment(FakeSession(cloudformation=Denied()), "dev", "penguins")


def test_stack_names_the_own_one_last() -> None:
    assert stack_names("prod", "pen") == ("mw-prod-data", "mw-prod-pen-data", "mw-prod-pen")
