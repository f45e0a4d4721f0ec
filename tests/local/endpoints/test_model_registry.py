"""Groups, versions and their approval."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError

NUMBERS = itertools.count(1)


@pytest.fixture
def group(hosting):
    name = f"group-{next(NUMBERS)}"
    hosting.client.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="birds")
    return name


@pytest.fixture
def register(hosting, group, archive):
    def register(**more):
        data = hosting.upload(archive({"model.txt": "2", "code/inference.py": hosting.script}))
        image = hosting.image
        specified = {
            "Containers": [{"Image": image, "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        }
        arguments = {"ModelPackageGroupName": group, "InferenceSpecification": specified, **more}
        return hosting.client.create_model_package(**arguments)["ModelPackageArn"]

    return register


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def test_versions_count_up_and_wait_for_approval(hosting, group, register):
    first, second = register(), register(ModelApprovalStatus="Rejected")
    assert first == f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group}/1"
    assert second.endswith("/2")
    found = hosting.client.describe_model_package(ModelPackageName=first)
    assert (found["ModelPackageVersion"], found["ModelApprovalStatus"]) == (1, "PendingManualApproval")
    assert (found["ModelPackageStatus"], found["ModelPackageGroupName"]) == ("Completed", group)
    assert found["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv"]
    assert hosting.client.describe_model_package(ModelPackageName=f"{group}/2")["ModelApprovalStatus"] == "Rejected"


def test_a_version_is_never_given_twice(hosting, register):
    register()
    second = register()
    hosting.client.delete_model_package(ModelPackageName=second)
    assert register().endswith("/3")
    assert "does not exist" in error_of(hosting.client.describe_model_package, ModelPackageName=second)["Message"]


def test_the_same_client_token_registers_once(hosting, group):
    arguments = {
        "ModelPackageGroupName": group,
        "ClientToken": f"run-{group}",
        "CustomerMetadataProperties": {"run": "1"},
        "InferenceSpecification": {"Containers": [{"Image": hosting.image, "ModelDataUrl": "s3://models/x.tar.gz"}]},
    }
    first = hosting.client.create_model_package(**arguments)["ModelPackageArn"]
    assert hosting.client.create_model_package(**arguments)["ModelPackageArn"] == first
    arguments["CustomerMetadataProperties"] = {"run": "2"}
    assert error_of(hosting.client.create_model_package, **arguments)["Code"] == "ConflictException"


def test_a_package_is_updated_and_says_so(hosting, register):
    arn = register(CustomerMetadataProperties={"a": "1", "b": "2"})
    hosting.client.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="it's good",
        CustomerMetadataProperties={"a": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["b"],
    )
    found = hosting.client.describe_model_package(ModelPackageName=arn)
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "it's good")
    assert found["CustomerMetadataProperties"] == {"a": "3", "c": "4"}
    assert found["LastModifiedTime"] >= found["CreationTime"]


def test_an_approval_is_an_event(hosting, register, monkeypatch):
    heard: list = []
    monkeypatch.setattr(hosting.cloud, "publish_event", heard.append)
    arn = register()
    hosting.client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert [event["detail"]["ModelApprovalStatus"] for event in heard] == ["PendingManualApproval", "Approved"]
    assert heard[0]["resources"] == [arn]


def test_packages_are_listed_by_group_status_and_page(hosting, group, register):
    arns = [register() for _ in range(5)]
    hosting.client.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    approved = hosting.client.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [each["ModelPackageArn"] for each in approved["ModelPackageSummaryList"]] == [arns[1]]
    pages = hosting.client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    found = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    assert found == arns[::-1]
    assert hosting.client.list_model_packages()["ModelPackageSummaryList"] == [], "unversioned ones are the default"


def test_a_group_with_packages_is_not_deleted(hosting, group, register):
    arn = register()
    error = error_of(hosting.client.delete_model_package_group, ModelPackageGroupName=group)
    assert (error["Code"], "contains Model Packages" in error["Message"]) == ("ConflictException", True)
    hosting.client.delete_model_package(ModelPackageName=arn)
    hosting.client.delete_model_package_group(ModelPackageGroupName=group)
    error = error_of(hosting.client.describe_model_package_group, ModelPackageGroupName=group)
    assert error["Message"].endswith(f"model-package-group/{group} does not exist.")


def test_a_group_is_there_once_and_found_by_its_arn(hosting, group):
    error = error_of(hosting.client.create_model_package_group, ModelPackageGroupName=group)
    assert "already exists" in error["Message"]
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package-group/{group}"
    found = hosting.client.describe_model_package_group(ModelPackageGroupName=arn)
    assert (found["ModelPackageGroupArn"], found["ModelPackageGroupStatus"]) == (arn, "Completed")
    listed = hosting.client.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupDescription"] for each in listed] == ["birds"]


def test_a_package_needs_a_group_that_is_there(hosting, register):
    assert "does not exist" in error_of(register, ModelPackageGroupName="nobody")["Message"]


@pytest.mark.parametrize("member", ["SourceAlgorithmSpecification", "ValidationSpecification"])
def test_what_is_not_done_is_named(hosting, register, member):
    values = {
        "SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": "a"}]},
        "ValidationSpecification": {"ValidationRole": hosting.role, "ValidationProfiles": []},
    }
    error = error_of(register, **{member: values[member]})
    assert (error["Code"], member in error["Message"]) == ("ValidationException", True)


def test_an_approved_package_can_be_deployed_and_no_other(hosting, register):
    arn = register()
    arguments = {"PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": hosting.role}
    error = error_of(hosting.client.create_model, ModelName=f"from-{next(NUMBERS)}", **arguments)
    assert "only a model package that is Approved can be deployed" in error["Message"]
    hosting.client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    name = f"from-{next(NUMBERS)}"
    hosting.client.create_model(ModelName=name, **arguments)
    endpoint = hosting.endpoint(hosting.config(name))
    assert hosting.settled(endpoint)["EndpointStatus"] == "InService"
    assert hosting.ask(endpoint) == [6.0]
