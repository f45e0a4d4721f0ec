"""What a caller may do, and how he is refused."""

from types import SimpleNamespace

import pytest
from iam_calls import (
    ACCOUNT,
    JOB,
    READ,
    ROLE,
    TLS_ONLY,
    call,
    policy,
    put,
    refused,
)

from modelwright.clock import FakeClock
from modelwright.local.calls.callers import Callers
from modelwright.local.iam.problems import PolicyError
from modelwright.local.service import AwsError, Caller


def test_a_role_does_what_its_policies_allow_and_nothing_else(authority):
    put(authority, READ)
    authority.check(call())
    error = refused(authority, call(operation="PutObject"))
    assert (error.code, error.status) == ("AccessDenied", 403)
    assert error.message == (
        f"User: {JOB.arn} is not authorized to perform: s3:PutObject on resource: "
        '"arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action'
    )


def test_each_service_refuses_with_its_own_code(authority):
    put(authority, READ)
    codes = {
        ("dynamodb", "ListTables"): ("AccessDeniedException", 400),
        ("lambda", "ListFunctions"): ("AccessDeniedException", 403),
        ("sns", "ListTopics"): ("AuthorizationError", 403),
        ("sts", "GetAccessKeyInfo"): ("AccessDenied", 403),
    }
    for (service, operation), expected in codes.items():
        error = refused(authority, call(service, operation, {"x": 1}))
        assert (error.code, error.status) == expected
    assert error.message.endswith(
        "on resource: * because no identity-based policy allows the sts:GetAccessKeyInfo action"
    )


def test_the_owner_is_not_restricted(authority):
    authority.check(call("s3", "PutBucketPolicy", caller=Caller("owner", f"arn:aws:iam::{ACCOUNT}:root")))


def test_everyone_may_ask_who_he_is(authority):
    put(authority)
    authority.check(call("sts", "GetCallerIdentity", {"": ""}))


def test_an_unmapped_operation_is_an_error_that_names_it(authority):
    put(authority, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    error = refused(authority, call("s3", "SelectObjectContent"))
    assert error.code == "NotSupported"
    assert "s3:SelectObjectContent" in error.message


def test_a_role_that_is_gone_can_do_nothing(authority):
    put(authority, READ)
    authority.delete_role(ROLE)
    assert refused(authority, call()).code == "InvalidClientTokenId"


def test_without_list_a_missing_object_is_not_even_told_of(authority):
    put(authority, READ)
    with pytest.raises(
        AwsError, match=r'^AccessDenied: .* perform: s3:ListBucket on resource: "arn:aws:s3:::b" because'
    ):
        authority.hide_missing(call())
    authority.hide_missing(call(caller=Caller("owner", "x")))
    put(authority, READ, {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"})
    authority.hide_missing(call())
    copied = {"Bucket": "b", "Key": "k", "CopySource": "secret/k"}
    with pytest.raises(AwsError, match="arn:aws:s3:::secret"):
        authority.hide_missing(call(operation="CopyObject", params=copied))


def test_a_bucket_policy_can_refuse_one_role_a_write(authority):
    put(authority, {**READ, "Action": "s3:*"})
    statement = {**TLS_ONLY, "Action": "s3:PutObject", "Condition": {"ArnLike": {"aws:PrincipalArn": f"{ROLE[:-3]}*"}}}
    authority.put_resource_policy("arn:aws:s3:::b", policy(statement))
    authority.check(call())
    assert refused(authority, call(operation="PutObject")).message.endswith(
        "with an explicit deny in a resource-based policy"
    )


def test_a_boundary_limits_a_role(authority):
    put(authority, {**READ, "Action": "s3:*"}, boundary=policy(READ))
    authority.check(call())
    assert "because no permissions boundary allows" in refused(authority, call(operation="PutObject")).message


def test_creating_a_job_needs_to_pass_its_role(authority):
    create = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": ROLE,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    made = call("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j", "RoleArn": ROLE})
    put(authority, create)
    assert f"iam:PassRole on resource: {ROLE}" in refused(authority, made).message
    put(authority, create, {**passing, "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}})
    assert "iam:PassRole" in refused(authority, made).message
    put(authority, create, passing)
    authority.check(made)


def test_a_wrong_policy_fails_when_it_is_put_and_changes_nothing(authority):
    put(authority, READ)
    with pytest.raises(
        PolicyError, match=r"identity policy p of .*: Statement\[0\].Condition.StringEquals.aws:Nothing"
    ):
        put(authority, {**READ, "Condition": {"StringEquals": {"aws:Nothing": "1"}}})
    authority.check(call())


def test_used_tells_the_statements_that_decided(authority):
    write = {**READ, "Sid": "Write", "Action": "s3:PutObject"}
    put(authority, READ, write)
    assert authority.used() == set()
    authority.check(call())
    assert {str(ref) for ref in authority.used()} == {f"{ROLE}: p[Read]"}
    assert {str(ref) for ref in authority.statements() - authority.used()} == {f"{ROLE}: p[Write]", f"{ROLE}: trust[0]"}


def test_statements_can_be_taken_away_for_a_while(authority):
    put(authority, READ)
    authority.check(call())
    with authority.without(*authority.used()):
        refused(authority, call())
    authority.check(call())


def test_a_session_of_callers_is_whom_the_authority_sees(authority):
    callers = Callers(SimpleNamespace(account=ACCOUNT, clock=FakeClock()))
    put(authority, READ)
    caller = callers.find(callers.session(ROLE, "train-1").access_key)
    assert "assumed-role/Job/train-1 is not" in refused(authority, call(operation="PutObject", caller=caller)).message
