"""A role, a few statements, and calls as the authority sees them."""

import pytest

from modelwright.local.service import AwsError, Call, Caller

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Job"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mw-dev"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/merge"
JOB = Caller("role", f"arn:aws:sts::{ACCOUNT}:assumed-role/Job/run", ROLE)
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
READ = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DECRYPT = {"Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}
DELEGATE = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def call(service="s3", operation="GetObject", params=None, caller=JOB):
    return Call(service, operation, params or {"Bucket": "b", "Key": "k"}, caller, REGION)


def put(authority, *statements, **options):
    authority.put_role(ROLE, policy(TRUST), {"p": policy(*statements)} if statements else {}, **options)


def refused(authority, made):
    with pytest.raises(AwsError) as caught:
        authority.check(made)
    return caught.value
