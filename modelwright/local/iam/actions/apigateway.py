"""API Gateway: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html.

Its actions are HTTP's verbs, its resources the paths of its API, without an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.iam.checks import Check

if TYPE_CHECKING:
    from modelwright.local.iam.checks import Mapper, Request

_PATHS = {
    "GetAccount": "/account",
    "GetApiKey": "/apikeys/{apiKey}",
    "GetApiKeys": "/apikeys",
    "GetResources": "/restapis/{restApiId}/resources",
    "GetRestApi": "/restapis/{restApiId}",
    "GetRestApis": "/restapis",
    "GetStage": "/restapis/{restApiId}/stages/{stageName}",
    "GetStages": "/restapis/{restApiId}/stages",
    "GetUsage": "/usageplans/{usagePlanId}/usage",
    "GetUsagePlan": "/usageplans/{usagePlanId}",
    "GetUsagePlans": "/usageplans",
}


def _get(path: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        names = {name: value for name, value in request.params.items() if isinstance(value, str)}
        where = f"arn:{request.partition}:apigateway:{request.region}::{path.format_map(names)}"
        return [Check("apigateway:GET", where)]

    return mapper


OPERATIONS: dict[str, Mapper] = {name: _get(path) for name, path in _PATHS.items()}
