"""The role with which API Gateway writes logs: the account has one in a region, for all its APIs.

A stage with an access log is refused without it:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html#set-up-access-logging-permissions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_names, stack_resources
from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE = "AWS::ApiGateway::Account"


def check_api_logs(about: Examination) -> Iterator[Finding]:
    """Look only where a pipeline has a REST API: https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html."""
    if not any(pipeline.deploy.api for pipeline in about.pipelines.values()):
        return
    role = about.session.client("apigateway").get_account().get("cloudwatchRoleArn")
    file = f"environments/{about.settings.name}.yaml"
    if about.settings.api_logs == "existing":
        if role:
            yield ok("api logs", f"API Gateway writes them as {role}.")
        else:
            text = f"API Gateway has no role to write logs with in {about.session.region}: it would refuse the API."
            yield failure("api logs", text, f"Write `api_logs: create` in {file}: a deploy makes it.")
    elif role and _TYPE not in stack_resources(about.session, stack_names(about.settings.name, "-")[0]):
        text = (
            f"API Gateway writes logs as {role}; a deploy puts another role in its place, for all APIs of the account."
        )
        yield warning("api logs", text, f"Write `api_logs: existing` in {file} to leave it.")
    else:
        yield ok("api logs", f"API Gateway writes them as {role}." if role else "a deploy makes the role for them.")
