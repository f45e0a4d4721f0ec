"""What SageMaker's calls need: the resource, the role that is passed, its tags."""

import pytest
from iam_checks import KEY, ROLE, SM, checks, pairs

TRAINING = {
    "TrainingJobName": "j",
    "RoleArn": ROLE,
    "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": KEY},
    "OutputDataConfig": {"S3OutputPath": "s3://b/", "KmsKeyId": KEY},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "EnableNetworkIsolation": True,
    "VpcConfig": {"Subnets": ["s-1", "s-2"], "SecurityGroupIds": ["sg"]},
}


def test_creating_a_job_needs_the_job_its_role_and_its_tags():
    tagged = {**TRAINING, "Tags": [{"Key": "Team", "Value": "ml"}]}
    job = f"{SM}training-job/j"
    found = checks("sagemaker", "CreateTrainingJob", tagged)
    assert [(c.action, c.resource) for c in found] == [
        ("sagemaker:CreateTrainingJob", job),
        ("iam:PassRole", ROLE),
        ("sagemaker:AddTags", job),
    ]
    assert found[1].context == {"iam:passedtoservice": "sagemaker.amazonaws.com"}
    assert found[2].context == {"aws:requesttag/team": "ml", "aws:tagkeys": ("Team",)}
    assert found[0].context == {
        "sagemaker:instancetypes": ("ml.m5.large",),
        "sagemaker:volumekmskey": KEY,
        "sagemaker:outputkmskey": KEY,
        "sagemaker:maxruntimeinseconds": "60",
        "sagemaker:networkisolation": "true",
        "sagemaker:vpcsubnets": ("s-1", "s-2"),
        "sagemaker:vpcsecuritygroupids": ("sg",),
        "aws:requesttag/team": "ml",
        "aws:tagkeys": ("Team",),
    }


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        (
            "CreateModel",
            {"ModelName": "m", "ExecutionRoleArn": ROLE},
            [("sagemaker:CreateModel", f"{SM}model/m"), ("iam:PassRole", ROLE)],
        ),
        (
            "CreateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "plain"},
            [
                ("sagemaker:CreateEndpoint", f"{SM}endpoint/e"),
                ("sagemaker:CreateEndpoint", f"{SM}endpoint-config/plain"),
            ],
        ),
        (
            "UpdateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            [
                ("sagemaker:UpdateEndpoint", f"{SM}endpoint/e"),
                ("sagemaker:UpdateEndpoint", f"{SM}endpoint-config/c"),
                ("kms:CreateGrant", KEY),
            ],
        ),
        (
            "CreateModelPackage",
            {"ModelPackageGroupName": "g"},
            [
                ("sagemaker:CreateModelPackage", f"{SM}model-package-group/g"),
                ("sagemaker:CreateModelPackage", f"{SM}model-package/g/*"),
            ],
        ),
        (
            "UpdateModelPackage",
            {"ModelPackageArn": f"{SM}model-package/g/3"},
            [("sagemaker:UpdateModelPackage", f"{SM}model-package/g/3")],
        ),
        (
            "DescribeModelPackage",
            {"ModelPackageName": f"{SM}model-package/g/3"},
            [("sagemaker:DescribeModelPackage", f"{SM}model-package/g/3")],
        ),
        (
            "ListModelPackages",
            {"ModelPackageGroupName": f"{SM}model-package-group/g"},
            [("sagemaker:ListModelPackages", f"{SM}model-package/g/*")],
        ),
        ("ListEndpoints", {}, [("sagemaker:ListEndpoints", "*")]),
        ("StopProcessingJob", {"ProcessingJobName": "p"}, [("sagemaker:StopProcessingJob", f"{SM}processing-job/p")]),
        ("AddTags", {"ResourceArn": f"{SM}model/m"}, [("sagemaker:AddTags", f"{SM}model/m")]),
    ],
)
def test_sagemaker(operation, params, expected):
    assert pairs("sagemaker", operation, params) == expected
