"""What AWS's own services may do: take a role, deliver to a resource, act as a role's session."""

import pytest
from iam_calls import (
    ACCOUNT,
    DECRYPT,
    DELEGATE,
    KEY,
    QUEUE,
    READ,
    REGION,
    ROLE,
    RULE,
    SAGEMAKER,
    TABLE,
    TRUST,
    call,
    policy,
    put,
    refused,
)

from modelwright.local.service import AwsError


def test_authorize_and_check_as_decide_for_what_aws_does_with_a_role(authority):
    put(authority, READ, DECRYPT)
    authority.put_resource_policy(KEY, policy(DELEGATE))
    authority.put_bucket_key("b", KEY)
    authority.authorize(ROLE, "s3:GetObject", "arn:aws:s3:::b/k")
    authority.check_as(ROLE, "s3", "GetObject", {"Bucket": "b", "Key": "k"})
    with pytest.raises(AwsError, match=r"assumed-role/Job/SageMaker is not authorized to perform: s3:PutObject"):
        authority.check_as(ROLE, "s3", "PutObject", {"Bucket": "b", "Key": "k"})
    with pytest.raises(AwsError) as caught:
        authority.authorize(ROLE, "logs:PutLogEvents", "*", {"AWS:SourceAccount": "1"}, session_name="mine")
    assert caught.value.code == "AccessDeniedException"
    assert "assumed-role/Job/mine" in caught.value.message


def test_only_a_trusted_service_may_assume_a_role(authority):
    condition = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:*:*:*"},
    }
    authority.put_role(ROLE, policy({**TRUST, "Condition": condition}), {})
    source = {"aws:SourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/j"}
    assert authority.may_assume(ROLE, "sagemaker.amazonaws.com", source)
    assert not authority.may_assume(ROLE, "sagemaker.amazonaws.com")
    assert not authority.may_assume(ROLE, "sagemaker.amazonaws.com", {**source, "aws:SourceAccount": "999999999999"})
    assert not authority.may_assume(ROLE, "lambda.amazonaws.com", source)
    assert authority.may_assume(ROLE + "x", "lambda.amazonaws.com").reason == f"because there is no role {ROLE}x"


def test_a_role_may_assume_another_when_its_trust_policy_says_so(authority):
    other = f"arn:aws:iam::{ACCOUNT}:role/Other"
    made = call("sts", "AssumeRole", {"RoleArn": other, "RoleSessionName": "s"})
    put(authority, {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": other})
    authority.put_role(other, policy(TRUST), {})
    assert "because no resource-based policy allows the sts:AssumeRole action" in refused(authority, made).message
    authority.put_role(other, policy({**TRUST, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}), {})
    authority.check(made)
    put(authority)
    assert "because no identity-based policy" in refused(authority, made).message


def test_a_service_delivers_where_the_resource_lets_it(authority):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
    }
    authority.put_resource_policy(QUEUE, policy(statement))
    authority.authorize_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, {"aws:SourceArn": RULE})
    with pytest.raises(AwsError, match=r"^AccessDenied: User: events.amazonaws.com is not authorized to perform: sqs"):
        authority.authorize_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, {"aws:SourceArn": f"{RULE}x"})
    authority.put_resource_policy(QUEUE, None)
    with pytest.raises(AwsError, match="because no resource-based policy allows"):
        authority.authorize_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, {"aws:SourceArn": RULE})


def test_a_service_needs_the_key_of_what_it_delivers_to(authority):
    """A topic or queue whose key does not let the service in silently gets nothing on AWS."""
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    authority.put_resource_policy(QUEUE, policy({**allow, "Action": "sqs:SendMessage", "Resource": QUEUE}))
    authority.put_resource_key(QUEUE, KEY)
    authority.put_resource_policy(KEY, policy({**allow, "Action": "kms:Decrypt", "Resource": "*"}))
    with pytest.raises(AwsError, match=r"events.amazonaws.com is not authorized to perform: kms:GenerateDataKey"):
        authority.authorize_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, {"aws:SourceArn": RULE})
    both = {**allow, "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}
    source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    authority.put_resource_policy(KEY, policy({**both, "Condition": source}))
    authority.authorize_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, {"aws:SourceArn": RULE})


def test_a_policy_of_the_logs_service_is_about_the_groups_that_it_names(authority):
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/x"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{group}:*",
    }
    authority.put_resource_policy(f"arn:aws:logs:{REGION}:{ACCOUNT}:resource-policy/events", policy(statement))
    authority.authorize_service("events.amazonaws.com", "logs:PutLogEvents", f"{group}:log-stream:s")
    with pytest.raises(AwsError):
        authority.authorize_service("events.amazonaws.com", "logs:PutLogEvents", f"{group}-2:log-stream:s")


def test_policies_are_found_for_what_lies_inside_a_resource(authority):
    put(authority)
    inside = {
        "arn:aws:s3:::b": "arn:aws:s3:::b/x/y",
        TABLE: f"{TABLE}/index/i",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live",
        f"{SAGEMAKER}:model-package-group/g": f"{SAGEMAKER}:model-package/g/1",
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/r": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/r",
    }
    for owner, resource in inside.items():
        action = f"{owner.split(':')[2]}:Anything"
        statement = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": action, "Resource": "*"}
        if ":ecr:" in owner:
            del statement["Resource"]
        authority.put_resource_policy(owner, policy(statement))
        authority.authorize(ROLE, action, resource)
