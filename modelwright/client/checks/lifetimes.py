"""What must not be lost: kept when its stack goes, protected where AWS can, and in no stack that is meant to go.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatereplacepolicy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.report import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template
    from modelwright.config.environment import EnvironmentSettings

TOOL = "lifetimes"
PRECIOUS: Final = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::ECR::Repository",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",  # of a bucket that is kept: without it, it is no longer protected
        "AWS::SQS::Queue",
        "AWS::SageMaker::ModelPackageGroup",
    }
)
"""Whose content no deploy can make again."""
REMADE: Final = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Model",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",  # with another address, as its keys have other values: docs/api.md
        "AWS::ApiGateway::Stage",
        "AWS::ApiGateway::UsagePlan",
        "AWS::ApiGateway::UsagePlanKey",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::CodeBuild::Project",  # its images are in a repository that is kept
        "AWS::EC2::VPCEndpoint",
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",  # what is in it ends by itself
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Parameter",
        "AWS::StepFunctions::StateMachine",
    }
)
"""What the next deploy makes again as it was. A type in neither list has to be decided about first."""
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_SELF_PROTECTED: Final = {"AWS::DynamoDB::Table": "DeletionProtectionEnabled"}


def check_lifetimes(templates: Sequence[Template], settings: EnvironmentSettings, collector: Collector) -> None:
    """Check every resource that must not be lost; an environment that removes what it has keeps only the places."""
    keep = settings.removal == "retain"
    found = (finding for template in templates for finding in _of_template(template, keep=keep))
    settle(TOOL, templates, found, collector)


def _of_template(template: Template, *, keep: bool) -> Iterator[Finding]:
    for name, resource in template.resources():
        if resource["Type"] not in PRECIOUS | REMADE:
            message = f"{resource['Type']}: say in lifetimes.py whether it must not be lost, or can be made again."
            yield Finding(TOOL, "undecided", f"{template.stack}/{name}", message)
    precious = [(name, item) for name, item in template.resources() if item["Type"] in PRECIOUS]
    goes = any(True for _ in template.resources("AWS::StepFunctions::StateMachine"))
    for name, resource in precious:
        where = f"{template.stack}/{name}"
        if goes:
            message = f"{resource['Type']} is in the stack of a pipeline, which can be deleted and made again."
            yield Finding(TOOL, "place", where, message)
        for rule, message in _of_resource(resource) if keep else ():
            yield Finding(TOOL, rule, where, f"{resource['Type']} {message}")
    if keep and precious and not goes and not template.protected:
        yield Finding(
            TOOL, "termination", template.stack, "has no termination protection, and holds what is to be kept."
        )


def _of_resource(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if resource.get("DeletionPolicy") not in _KEPT:
        yield "deletion", f"has the DeletionPolicy {resource.get('DeletionPolicy', 'Delete')}: it goes with its stack."
    if resource.get("UpdateReplacePolicy") != "Retain":
        found = resource.get("UpdateReplacePolicy", "Delete")
        yield "replacement", f"has the UpdateReplacePolicy {found}: an update that replaces it deletes it."
    flag = _SELF_PROTECTED.get(resource["Type"])
    if flag and resource.get("Properties", {}).get(flag) is not True:
        yield "protection", f"has no {flag}: one call deletes it."
