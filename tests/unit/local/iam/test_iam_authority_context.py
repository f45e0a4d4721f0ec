"""What a decision knows of a request beside its action: keys, tags, time, the way it came."""

from types import SimpleNamespace

from iam_calls import (
    ACCOUNT,
    DECRYPT,
    DELEGATE,
    JOB,
    KEY,
    READ,
    REGION,
    ROLE,
    TABLE,
    TLS_ONLY,
    call,
    policy,
    put,
    refused,
)

from modelwright.clock import FakeClock
from modelwright.local.iam.authority import Authority
from modelwright.local.service import Caller


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


def test_loopback_counts_as_secure_transport(authority):
    put(authority, READ)
    authority.put_resource_policy("arn:aws:s3:::b", policy(TLS_ONLY))
    authority.check(call())


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
