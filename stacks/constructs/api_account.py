"""The role with which API Gateway writes logs: a setting of the account in the region, not of an API.

A stage with an access log is refused where it is not set ("CloudWatch Logs role ARN must be set in account settings to
enable logging"), and there is one for all APIs of the account, whoever made them: so an environment makes it only when
its settings say `api_logs: create`, and `modelwright doctor --aws` looks first.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html#set-up-access-logging-permissions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_apigateway as apigateway

from stacks.constructs.roles import trusted_role
from stacks.policies import Statement, trust
from stacks.policy_checks import accept_checkov, accept_found
from stacks.removal import KEPT

if TYPE_CHECKING:
    from constructs import Construct

_ACTIONS = (
    *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams"),
    *("logs:FilterLogEvents", "logs:GetLogEvents", "logs:PutLogEvents"),
)
"""Those of AWS's own policy for it, AmazonAPIGatewayPushToCloudWatchLogs; API Gateway refuses a role that lacks any."""


def api_logs(scope: Construct) -> None:
    """Make the role and set it; both stay when the stack goes, as the account's other APIs write with it, too.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigateway-account.html
    """
    why = "for all APIs of the account, whose log groups have any name; so does AWS's own policy for it"
    write = Statement("WriteLogsOfApis", _ACTIONS, ("*",), why=why)
    role = trusted_role(scope, "ApiLogsRole", "API Gateway's logs, of all APIs here", trust("apigateway"), (write,))
    accept_checkov(role, {"CKV_AWS_111": why})
    with_resources = [name for name in _ACTIONS if name != "logs:DescribeLogGroups"]
    accept_found(role, "parliament", {f"RESOURCE_STAR[{write.sid}/{name}]": why for name in with_resources})
    account = apigateway.CfnAccount(scope, "ApiLogs", cloud_watch_role_arn=role.attr_arn)
    for made in (role, account):
        made.apply_removal_policy(KEPT)
