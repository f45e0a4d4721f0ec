from types import SimpleNamespace

import pytest

from modelwright.clock import FakeClock
from modelwright.local.calls.callers import Callers
from modelwright.local.iam.authority import Authority
from modelwright.local.iam.problems import PolicyError
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


@pytest.fixture
def authority():
    return Authority(SimpleNamespace(account=ACCOUNT, region=REGION, clock=FakeClock()))


def call(service="s3", operation="GetObject", params=None, caller=JOB):
    return Call(service, operation, params or {"Bucket": "b", "Key": "k"}, caller, REGION)


def put(authority, *statements, **options):
    authority.put_role(ROLE, policy(TRUST), {"p": policy(*statements)} if statements else {}, **options)


def refused(authority, made):
    with pytest.raises(AwsError) as caught:
        authority.check(made)
    return caught.value


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


def test_an_encrypted_bucket_needs_the_key_in_both_policies(authority):
    put(authority, READ)
    authority.put_bucket_key("b", KEY)
    authority.put_resource_policy(KEY, policy(DELEGATE))
    error = refused(authority, call())
    assert error.code == "AccessDenied"  # S3's own code
    assert f'kms:Decrypt on resource: "{KEY}" because no identity-based policy allows' in error.message
    put(authority, READ, DECRYPT)
    authority.check(call())
    authority.put_resource_policy(KEY, policy({**DELEGATE, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"}}))
    assert "because no resource-based policy allows the kms:Decrypt action" in refused(authority, call()).message
    authority.put_bucket_key("b", None)
    authority.check(call())


def test_a_key_can_be_granted_through_one_service_only(authority):
    through = {**DECRYPT, "Condition": {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}}
    put(authority, READ, through)
    authority.put_bucket_key("b", KEY)
    authority.put_resource_policy(KEY, policy(DELEGATE))
    authority.check(call())
    assert refused(authority, call("kms", "Decrypt", {"KeyId": KEY})).code == "AccessDeniedException"


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


def test_loopback_counts_as_secure_transport(authority):
    put(authority, READ)
    authority.put_resource_policy("arn:aws:s3:::b", policy(TLS_ONLY))
    authority.check(call())


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


def test_leading_keys_limit_a_role_to_its_items(authority):
    own = {
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": TABLE,
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "PIPELINE#penguins"}},
    }
    put(authority, own)
    made = {
        name: call("dynamodb", "GetItem", {"TableName": "mw-dev", "Key": {"pk": {"S": f"PIPELINE#{name}"}}})
        for name in ("penguins", "whales")
    }
    error = refused(authority, made["penguins"])
    assert error.code == "NotSupported"  # nobody said which of the item's attributes is the partition key
    assert "dynamodb:leadingkeys" in error.message
    authority.put_partition_key(TABLE, "pk")
    authority.check(made["penguins"])
    assert refused(authority, made["whales"]).code == "AccessDeniedException"


def test_tags_that_nobody_told_of_are_an_error_and_not_a_guess(authority):
    tagged = {**READ, "Condition": {"StringEquals": {"aws:ResourceTag/Team": "ml"}}}
    put(authority, tagged)
    assert "the tags of arn:aws:s3:::b/k were not reported" in refused(authority, call()).message
    authority.put_resource_tags("arn:aws:s3:::b", {"Team": "other"})
    assert refused(authority, call()).code == "AccessDenied"
    authority.put_resource_tags("arn:aws:s3:::b", {"Team": "ml"})
    authority.check(call())


def test_a_roles_own_tags_are_known(authority):
    mine = {**READ, "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "ml"}}}
    put(authority, mine)
    assert refused(authority, call()).code == "AccessDenied"
    put(authority, mine, tags={"Team": "ml"})
    authority.check(call())


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


def test_time_comes_from_the_clock():
    clock = FakeClock()
    authority = Authority(SimpleNamespace(account=ACCOUNT, region=REGION, clock=clock))
    until = {**READ, "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01T01:00:00Z"}}}
    put(authority, until)
    authority.check(call())
    clock.advance(3600)
    assert refused(authority, call()).code == "AccessDenied"


def test_via_names_only_services_that_call_with_the_callers_identity(authority):
    condition = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    put(authority, {**READ, "Condition": condition})
    for via, allowed in (("cloudformation.amazonaws.com", True), ("states.amazonaws.com", False), (None, False)):
        made = call(caller=Caller("role", JOB.arn, ROLE, via))
        if allowed:
            authority.check(made)
        else:
            refused(authority, made)


def test_a_session_of_callers_is_whom_the_authority_sees(authority):
    callers = Callers(SimpleNamespace(account=ACCOUNT, clock=FakeClock()))
    put(authority, READ)
    caller = callers.find(callers.session(ROLE, "train-1").access_key)
    assert "assumed-role/Job/train-1 is not" in refused(authority, call(operation="PutObject", caller=caller)).message
