"""What becomes of a resource that must not be lost when its stack goes."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy

KEPT: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""Kept, unless the deployment that was to make it is rolled back: then it is empty, and its name would be in the way of
the next attempt (`RetainExceptOnCreate`).

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
"""
