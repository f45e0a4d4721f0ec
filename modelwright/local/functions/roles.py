"""What Lambda checks of a function's role when the function is made or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.functions.refusals import invalid
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

PRINCIPAL = "lambda.amazonaws.com"


def check_role(cloud: Cloud, params: Mapping[str, Any]) -> None:
    """Raise AwsError unless Lambda may take the role that the parameters name, and send traces with it if it has to.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    if "Role" not in params:
        return
    if not cloud.iam.may_assume(params["Role"], PRINCIPAL):
        raise invalid("The role defined for the function cannot be assumed by Lambda.")
    if params.get("TracingConfig", {}).get("Mode") != "Active":
        return
    try:
        cloud.authorize(params["Role"], "xray:PutTraceSegments", "*")
    except AwsError as error:
        message = "The provided execution role does not have permissions to call PutTraceSegments on XRAY"
        raise invalid(f"{message} ({error.message})") from error
