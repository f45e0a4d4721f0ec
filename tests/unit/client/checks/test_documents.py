"""Policies are found wherever they stand, with references that look like what they will be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelwright.client.checks.documents import documents
from modelwright.client.checks.samples import UNKNOWN, Samples
from modelwright.client.checks.templates import Template

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [ALLOW]}
PLACE = "ap-southeast-2:123456789012"


def template(resources: dict[str, Any], stack: str = "x", **more: Any) -> Template:
    return Template(stack, Path("x.json"), {"Resources": resources, **more})


def resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


def test_every_place_of_a_policy_is_found_with_its_kind() -> None:
    policies = [{"PolicyName": "P", "PolicyDocument": DOCUMENT}]
    found = documents(
        [
            template(
                {
                    "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=DOCUMENT, Policies=policies),
                    "Managed": resource("AWS::IAM::ManagedPolicy", PolicyDocument=DOCUMENT),
                    "Key": resource("AWS::KMS::Key", KeyPolicy=DOCUMENT),
                    "Endpoint": resource("AWS::EC2::VPCEndpoint", PolicyDocument=DOCUMENT),
                    "Logs": resource("AWS::Logs::ResourcePolicy", PolicyDocument=json.dumps(DOCUMENT)),
                    "Bus": resource("AWS::Events::EventBusPolicy", StatementId="s", Statement=ALLOW),
                    "Bucket": resource("AWS::S3::Bucket", BucketName="no-policy"),
                }
            )
        ]
    )
    assert [(item.where, item.path, item.kind) for item in found] == [
        ("x/Role", "AssumeRolePolicyDocument", "trust"),
        ("x/Role", "Policies.0.PolicyDocument", "identity"),
        ("x/Managed", "PolicyDocument", "identity"),
        ("x/Key", "KeyPolicy", "resource"),
        ("x/Endpoint", "PolicyDocument", "resource"),
        ("x/Logs", "PolicyDocument", "resource"),
        ("x/Bus", "", "resource"),
    ]


def test_a_star_in_a_keys_policy_is_the_key() -> None:
    (found,) = documents([template({"Key": resource("AWS::KMS::Key", KeyPolicy=DOCUMENT)})])
    assert found.own_arn == f"arn:aws:kms:{PLACE}:key/{'x' * 36}"


def test_statements_are_labelled_by_their_sid_or_their_place() -> None:
    body = {"Statement": [{**ALLOW, "Sid": "Read"}, ALLOW]}
    (found,) = documents([template({"P": resource("AWS::IAM::ManagedPolicy", PolicyDocument=body)})])
    assert [label for label, _ in found.statements] == ["Read", "PolicyDocument.1"]


def test_references_look_like_what_they_will_be() -> None:
    here = template(
        {
            "Topic": resource("AWS::SNS::Topic"),
            "Role": resource("AWS::IAM::Role", Path="/ml/"),
            "Group": resource("AWS::Logs::LogGroup", LogGroupName="/aws/vendedlogs/x"),
            "Bucket": resource("AWS::S3::Bucket"),
            "Rule": resource("AWS::Events::Rule", Name="merged", EventBusName="ours"),
        }
    )
    value = [
        {"Ref": "Topic"},
        {"Fn::GetAtt": ["Role", "Arn"]},
        {"Fn::GetAtt": "Group.Arn"},
        {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]},
        {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:q"},
        {"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]},
        {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["Rule", "Arn"]}]}]},
    ]
    assert Samples([here]).of(here, value) == [
        f"arn:aws:sns:{PLACE}:{'x' * 64}",
        f"arn:aws:iam::123456789012:role/ml/{'x' * 64}",
        f"arn:aws:logs:{PLACE}:log-group:/aws/vendedlogs/x:*",
        f"arn:aws:s3:::{'x' * 63}/*",
        f"arn:aws:sqs:{PLACE}:q",
        "b",
        "merged",
    ]


def test_a_shared_parameter_is_followed_into_the_stack_that_writes_it() -> None:
    published = resource("AWS::SSM::Parameter", Name="/modelwright/dev/key-arn", Value={"Fn::GetAtt": ["Key", "Arn"]})
    data = template({"Key": resource("AWS::KMS::Key"), "P": published}, "data")
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/modelwright/dev/key-arn"}
    mine = template({}, Parameters={"SharedKeyArn": parameter})
    assert Samples([data, mine]).of(mine, {"Ref": "SharedKeyArn"}) == f"arn:aws:kms:{PLACE}:key/{'x' * 36}"


def test_what_has_no_known_form_fits_nothing() -> None:
    here = template({"Strange": resource("AWS::Strange::Thing")})
    assert Samples([here]).of(here, [{"Ref": "Strange"}, {"Fn::GetAtt": ["Strange", "Arn"]}]) == [UNKNOWN, UNKNOWN]
