"""What the account's owner wants of every resource: the path and the boundary of roles, tags, the qualifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import DefaultStackSynthesizer, Tags
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from aws_cdk import App

    from modelwright.config.environment import EnvironmentSettings

_STACK = "aws:cdk:stack"


def synthesizer(settings: EnvironmentSettings) -> DefaultStackSynthesizer | None:
    """Return what names the bootstrap stack's bucket, roles and version parameter; None for CDK's own choice.

    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
    """
    return DefaultStackSynthesizer(qualifier=settings.qualifier) if settings.qualifier else None


def apply_account_rules(app: App, settings: EnvironmentSettings) -> None:
    """Give every role of `app` its path and boundary, and everything that can have tags the environment's.

    At the end, so that no part of a stack can forget it. Stacks are tagged as well: CloudFormation hands their tags on
    to what the template cannot tag. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    """
    if settings.role_path != "/" or settings.permissions_boundary:
        for node in app.node.find_all():
            if isinstance(node, iam.CfnRole):
                _bound(node, settings)
    for key, value in sorted(settings.tags.items()):
        Tags.of(app).add(key, value)
        Tags.of(app).add(key, value, include_resource_types=[_STACK])


def _bound(role: iam.CfnRole, settings: EnvironmentSettings) -> None:
    if settings.role_path != "/":
        role.path = settings.role_path
    if settings.permissions_boundary:
        role.permissions_boundary = settings.permissions_boundary
