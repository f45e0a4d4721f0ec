"""Parameters against botocore's model, as a client that checks nothing itself would send them."""

from __future__ import annotations

import pytest

from modelwright.local.sagemaker.validation import validate
from modelwright.local.service import AwsError

VARIANT = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def refused(operation, **params):
    with pytest.raises(AwsError) as caught:
        validate("sagemaker", operation, params)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_what_is_right_passes():
    validate("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]})


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("DescribeModel", {}, "Value null at 'modelName' failed to satisfy constraint: Member must not be null"),
        ("DescribeModel", {"ModelName": 3}, "Value '3' at 'modelName' failed to satisfy constraint: Member must be"),
        ("DescribeModel", {"ModelName": "-a"}, "Member must satisfy regular expression pattern: [a-zA-Z0-9]"),
        ("DescribeModel", {"ModelName": "a\n"}, "Member must satisfy regular expression pattern"),
        ("DescribeModel", {"ModelName": "a", "More": 1}, "at 'more' failed to satisfy constraint: Member must be one"),
        ("ListModels", {"MaxResults": 0}, "at 'maxResults' failed to satisfy constraint: Member must have value"),
        ("ListModels", {"MaxResults": 101}, "Member must have value less than or equal to 100"),
        ("ListModels", {"MaxResults": True}, "Member must be a number"),
        ("ListModels", {"SortBy": "Size"}, "Member must satisfy enum value set: [Name, CreationTime]"),
        ("DeleteTags", {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "TagKeys": []},
         "Member must have length greater than or equal to 1"),
        ("AddTags", {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "Tags": "a"},
         "Member must be a list"),
        ("CreateEndpointConfig",
         {"EndpointConfigName": "c", "ProductionVariants": [VARIANT, {**VARIANT, "InitialInstanceCount": 0}]},
         "Value '0' at 'productionVariants.2.member.initialInstanceCount' failed to satisfy constraint: Member must"),
        ("CreateModel", {"ModelName": "m", "PrimaryContainer": {"Environment": {"a b": "1"}}},
         "'primaryContainer.environment.key'"),
        ("CreateModel", {"ModelName": "m", "EnableNetworkIsolation": "yes"}, "Member must be a boolean"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(operation, params, message):
    assert message in refused(operation, **params)


def test_all_that_is_wrong_is_named_at_once():
    message = refused("CreateModel", ModelName="a b", PrimaryContainer={"Mode": "Both"})
    assert message.startswith("2 validation errors detected: ")
    assert "'modelName'" in message
    assert "'primaryContainer.mode'" in message


@pytest.mark.parametrize("value", ["Zürich", "a b", "x_y.z:/=+-@", ""])
def test_tags_take_letters_of_every_language(value):
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/m"
    validate("sagemaker", "AddTags", {"ResourceArn": arn, "Tags": [{"Key": "k", "Value": value}]})
    assert "Member must satisfy" in refused("AddTags", ResourceArn=arn, Tags=[{"Key": "k;", "Value": value}])
