"""CreateModel, CreateEndpointConfig and tags: what is kept, listed and refused."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def variant(model, **more):
    return {
        "VariantName": "v0",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **more,
    }


def test_a_model_is_described_as_it_was_made(hosting):
    name = hosting.model(Environment={"A": "1"})
    found = hosting.client.describe_model(ModelName=name)
    assert found["PrimaryContainer"]["Environment"] == {"A": "1"}
    assert (found["ExecutionRoleArn"], found["EnableNetworkIsolation"]) == (hosting.role, False)
    assert found["ModelArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:model/{name}"


def test_models_are_listed_newest_first_and_deleted(hosting):
    names = [hosting.model() for _ in range(3)]
    listed = hosting.client.list_models(NameContains="model-", MaxResults=3)["Models"]
    assert [each["ModelName"] for each in listed] == names[::-1]
    hosting.client.delete_model(ModelName=names[0])
    assert error_of(hosting.client.describe_model, ModelName=names[0])["Message"].startswith(
        'Could not find model "arn'
    )


def test_a_page_token_that_nobody_gave_is_refused(hosting):
    assert "NextToken" in error_of(hosting.client.list_models, NextToken="x")["Message"]


def test_a_model_name_is_taken_once(hosting):
    name = hosting.model()
    error = error_of(
        hosting.client.create_model,
        ModelName=name,
        PrimaryContainer={"Image": hosting.image},
        ExecutionRoleArn=hosting.role,
    )
    assert error["Message"].startswith('Cannot create already existing model "arn:aws:sagemaker:')


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({}, "exactly one of Image and ModelPackageName"),
        ({"Mode": "MultiModel"}, "needs ModelDataUrl, the prefix of its models"),
        ({"Mode": "MultiModel", "ModelDataUrl": "s3://models/a.tar.gz"}, "is the prefix of its models"),
        ({"MultiModelConfig": {"ModelCacheSetting": "Disabled"}}, "MultiModelConfig is for"),
        ({"ModelDataUrl": "s3://models/nothing.tar.gz"}, "Could not find model data at s3://models/nothing.tar.gz"),
        ({"ModelDataUrl": "s3://models"}, "s3://bucket/key"),
        ({"AdditionalModelDataSources": [{"ChannelName": "a", "S3DataSource": {
            "S3Uri": "s3://a/b", "S3DataType": "S3Prefix", "CompressionType": "None"}}]}, "AdditionalModelDataSources"),
        ({"ModelDataSource": {"S3DataSource": {
            "S3Uri": "s3://a/b/", "S3DataType": "S3Prefix", "CompressionType": "None"}}}, "one model.tar.gz"),
    ],
)  # fmt: skip
def test_a_container_that_is_not_possible_is_refused(hosting, container, reason):
    given = container if not container else {"Image": hosting.image, **container}
    error = error_of(hosting.client.create_model, ModelName="m", PrimaryContainer=given, ExecutionRoleArn=hosting.role)
    assert (error["Code"], reason in error["Message"]) == ("ValidationException", True), error


def test_a_role_that_may_not_read_the_archive_makes_no_model(role_without):
    hosting = role_without("Read")
    error = error_of(hosting.model)
    assert "Could not access model data at s3://models/" in error["Message"]
    assert '"s3:GetObject" permissions' in error["Message"]


def test_a_role_that_does_not_trust_sagemaker_makes_no_model(hosting, put_role):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = put_role(hosting.cloud, arn="arn:aws:iam::123456789012:role/of-lambda", trust=trust)
    error = error_of(
        hosting.client.create_model, ModelName="m", PrimaryContainer={"Image": hosting.image}, ExecutionRoleArn=role
    )
    assert "sagemaker.amazonaws.com" in error["Message"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ProductionVariants": [{"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}]},
         "has ServerlessConfig and InstanceType and InitialInstanceCount"),
        ({"ProductionVariants": [{"RoutingConfig": {"RoutingStrategy": "PREFIX_AWARE"}}]}, "PREFIX_AWARE"),
        ({"ShadowProductionVariants": [{}]}, "v0 stands twice"),
        ({"DataCaptureConfig": {"EnableCapture": True, "InitialSamplingPercentage": 1, "DestinationS3Uri": "https://a/b",
                                "CaptureOptions": [{"CaptureMode": "Input"}] * 2}}, "CaptureOptions must be unique"),
        ({"ProductionVariants": [{}, {}]}, "v0 stands twice"),
        ({"ProductionVariants": [{"ModelName": "nobody"}]}, 'Could not find model "arn'),
        ({"ProductionVariants": [{"InitialVariantWeight": 0}]}, "InitialVariantWeight above 0"),
        ({"ProductionVariants": [{"InstanceType": "ml.g5.xlarge"}], "KmsKeyId": "abc"}, "encrypted by hardware"),
        ({"ProductionVariants": [{"InstanceType": "ml.huge"}]}, "Member must satisfy enum value set"),
    ],
)  # fmt: skip
def test_a_configuration_that_is_not_possible_is_refused(hosting, changes, reason):
    model = hosting.model()
    variants = [variant(model, **each) for each in changes.get("ProductionVariants", [{}])]
    shadows = {"ShadowProductionVariants": [variant(model)]} if "ShadowProductionVariants" in changes else {}
    arguments = {"EndpointConfigName": "c", **changes, **shadows, "ProductionVariants": variants}
    error = error_of(hosting.client.create_endpoint_config, **arguments)
    assert (error["Code"], reason in error["Message"]) == ("ValidationException", True), error


def test_a_configuration_is_described_listed_and_deleted(hosting):
    name = hosting.config(hosting.model())
    found = hosting.client.describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    listed = hosting.client.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in listed] == [name]
    hosting.client.delete_endpoint_config(EndpointConfigName=name)
    error = error_of(hosting.client.describe_endpoint_config, EndpointConfigName=name)
    assert error["Message"].startswith('Could not find endpoint configuration "arn')


def test_tags_are_added_replaced_listed_and_removed(hosting):
    arn = hosting.client.describe_model(ModelName=hosting.model())["ModelArn"]
    hosting.client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    hosting.client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    assert hosting.client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    hosting.client.delete_tags(ResourceArn=arn, TagKeys=["a", "none"])
    assert hosting.client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    error = error_of(hosting.client.add_tags, ResourceArn=arn, Tags=[{"Key": "aws:mine", "Value": "1"}])
    assert error["Code"] == "ValidationException"


def test_every_wrong_member_is_named_at_once(hosting):
    error = error_of(
        hosting.client.create_model,
        ModelName="under_score",
        PrimaryContainer={"Image": "an image", "Mode": "Both"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/x",
    )
    assert error["Message"].startswith("3 validation errors detected: ")
    assert (
        "Value 'under_score' at 'modelName' failed to satisfy constraint: Member must satisfy regular"
        in error["Message"]
    )
    assert (
        "at 'primaryContainer.mode' failed to satisfy constraint: Member must satisfy enum value set"
        in error["Message"]
    )
    assert "at 'primaryContainer.image'" in error["Message"]
