"""Log groups: made here, so that they are encrypted and end, instead of by the first line that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks.constructs.encryption_key import NO_KEY
from stacks.policy_checks import accept, accept_checkov

if TYPE_CHECKING:
    from constructs import Construct


def log_group(
    scope: Construct, id_: str, key_arn: str | None, retention_days: int, name: str | None = None
) -> logs.CfnLogGroup:
    """Make a log group under the key, if there is one; it goes with its stack, so that the stack can be made again."""
    made = logs.CfnLogGroup(scope, id_, kms_key_id=key_arn, retention_in_days=retention_days, log_group_name=name)
    made.apply_removal_policy(RemovalPolicy.DESTROY)
    if key_arn is None:
        accept(made, "NIST.800.53.R5-CloudWatchLogGroupEncrypted", NO_KEY)
        accept_checkov(made, {"CKV_AWS_158": NO_KEY})
    return made
