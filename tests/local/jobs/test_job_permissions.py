"""What SageMaker does with a job's role: each grant that is taken away is missed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://job-bucket/perm/train/"}},
}


@pytest.mark.parametrize(
    ("sid", "said"),
    [
        ("ListInputs", "s3:ListBucket"),
        ("ReadInputs", "s3:GetObject"),
        ("WriteOutputs", "s3:PutObject"),
        ("LogIn", "ecr:GetAuthorizationToken"),
        ("Pull", "ecr:BatchCheckLayerAvailability"),
    ],
)
def test_a_job_without_a_grant_fails_with_a_client_error_that_names_it(work, put, role_without, sid, said) -> None:
    put("perm/train/x", "x")
    role = role_without(sid)
    script = "open('/opt/ml/model/m', 'w').close()"
    found = work.trained(f"without-{sid}", script, RoleArn=role, InputDataConfig=[CHANNEL])
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: ")
    assert said in found["FailureReason"]


def test_a_role_that_may_not_write_logs_has_none_and_its_job_runs(work, role_without) -> None:
    found = work.trained("without-logs", "print('unheard')", RoleArn=role_without("Log"))
    assert found["TrainingJobStatus"] == "Completed"
    with pytest.raises((IndexError, ClientError)):
        work.lines("TrainingJob", "without-logs")


def test_a_volume_key_has_to_be_lent(work, role_without) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "VolumeKmsKeyId": key}
    found = work.trained("volume", "", ResourceConfig=cluster)
    assert found["FailureReason"].startswith("ClientError: Cannot encrypt the volume")
    assert "kms:DescribeKey" in found["FailureReason"]


@pytest.mark.parametrize("machine", ["ml.g5.xlarge", "ml.p3dn.24xlarge", "ml.p6-b200.48xlarge"])
def test_a_volume_key_is_refused_where_the_disks_are_the_instances_own(work, machine) -> None:
    cluster = {"InstanceType": machine, "InstanceCount": 1, "VolumeSizeInGB": 1, "VolumeKmsKeyId": "key"}
    with pytest.raises(ClientError, match=f"VolumeKmsKeyId cannot be given for {machine}"):
        work.training("own-disks", "", ResourceConfig=cluster)


def test_a_role_that_sagemaker_may_not_assume_is_refused_at_once(work, cloud) -> None:
    arn = "arn:aws:iam::123456789012:role/for-lambda"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    cloud.iam.put_role(arn, {"Version": "2012-10-17", "Statement": [trust]}, {})
    with pytest.raises(ClientError, match="Could not assume role"):
        work.training("untrusted", "", RoleArn=arn)


def test_a_script_calls_aws_as_its_role_and_no_more(work, put, get, members) -> None:
    put("perm/code-may-read", "yes")
    script = """
import boto3, json
from botocore.exceptions import ClientError
s3, found = boto3.client("s3"), {}
found["read"] = s3.get_object(Bucket="job-bucket", Key="perm/code-may-read")["Body"].read().decode()
try:
    s3.put_object(Bucket="job-bucket", Key="perm/other", Body=b"")
except ClientError as error:
    found["write"] = error.response["Error"]["Code"]
json.dump(found, open("/opt/ml/model/found.json", "w"))
"""
    described: dict[str, Any] = work.trained("caller", script)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    found = json.loads(members(get("out/caller/output/model.tar.gz"))["found.json"])
    assert found == {"read": "yes", "write": "AccessDenied"}
