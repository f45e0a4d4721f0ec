"""A REST API of few routes over one function, as a template has it, and a way to ask it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

STAGE = "live"
SCHEMA = {"type": "object", "required": ["rows"], "properties": {"rows": {"type": "array", "minItems": 1}}}
LOG_FORMAT = (
    '{"id": "$context.requestId", "status": "$context.status", "who": "$context.identity.userArn", "x": "$context.no"}'
)


def _made(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGateway::{kind}", "Properties": properties}


def _in_api(kind: str, **properties: Any) -> dict[str, Any]:
    return _made(kind, RestApiId={"Ref": "Api"}, **properties)


def _resource(path: str) -> dict[str, Any]:
    return _in_api("Resource", ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart=path)


def _method(resource: str, verb: str, timeout_milliseconds: int | None = None, **more: Any) -> dict[str, Any]:
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${ApiFunction.Arn}/invocations"
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}}
    integration |= {"TimeoutInMillis": timeout_milliseconds} if timeout_milliseconds else {}
    return _in_api("Method", ResourceId={"Ref": resource}, HttpMethod=verb, Integration=integration, **more)


def api_resources(function: Mapping[str, Any], **limits: Any) -> dict[str, Any]:
    """Return the resources: `function` answers; `limits` are those of the stage, rate and burst."""
    throttle = {"ThrottlingRateLimit": limits.get("rate", 1000), "ThrottlingBurstLimit": limits.get("burst", 1000)}
    models = {"application/json": {"Ref": "Envelope"}}
    plan = {"ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}]}
    methods = {
        "SignedMethod": _method("Signed", "GET", AuthorizationType="AWS_IAM"),
        "KeyedMethod": _method("Keyed", "POST", AuthorizationType="NONE", ApiKeyRequired=True),
        "CheckedMethod": _method(
            "Checked", "POST", AuthorizationType="NONE", RequestValidatorId={"Ref": "Validator"}, RequestModels=models
        ),
        "UncheckedMethod": _method("Unchecked", "POST", AuthorizationType="NONE", RequestModels=models),
        "HastyMethod": _method("Hasty", "POST", 50, AuthorizationType="NONE"),
    }
    return {
        "Api": _made("RestApi", Name="levels", EndpointConfiguration={"Types": ["REGIONAL"]}),
        **{name: _resource(name.lower()) for name in ("Signed", "Keyed", "Checked", "Unchecked", "Hasty")},
        "Envelope": _in_api("Model", Name="Envelope", ContentType="application/json", Schema=SCHEMA),
        "Validator": _in_api("RequestValidator", ValidateRequestBody=True),
        "WrongBody": _in_api(
            "GatewayResponse",
            ResponseType="BAD_REQUEST_BODY",
            StatusCode="422",
            ResponseTemplates={"application/json": '{"said": $context.error.messageString}'},
        ),
        **methods,
        "Deployment": _in_api("Deployment") | {"DependsOn": [*methods, "WrongBody"]},
        "ApiLog": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "api"}},
        "Stage": _in_api(
            "Stage",
            StageName=STAGE,
            DeploymentId={"Ref": "Deployment"},
            AccessLogSetting={
                "DestinationArn": {"Fn::Sub": "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:${ApiLog}"},
                "Format": LOG_FORMAT,
            },
            MethodSettings=[{"HttpMethod": "*", "ResourcePath": "/*", **throttle}],
        ),
        "GoodKey": _made("ApiKey", Enabled=True),
        "LooseKey": _made("ApiKey", Enabled=True),
        "SpentKey": _made("ApiKey", Enabled=True),
        "Plan": _made("UsagePlan", Throttle={"RateLimit": 1000, "BurstLimit": 1000}, **plan),
        "SmallPlan": _made("UsagePlan", Quota={"Limit": 2, "Period": "DAY"}, **plan),
        "PlanKey": _made("UsagePlanKey", KeyId={"Ref": "GoodKey"}, KeyType="API_KEY", UsagePlanId={"Ref": "Plan"}),
        "SmallPlanKey": _made(
            "UsagePlanKey", KeyId={"Ref": "SpentKey"}, KeyType="API_KEY", UsagePlanId={"Ref": "SmallPlan"}
        ),
        "ApiAccount": _made("Account", CloudWatchRoleArn={"Fn::GetAtt": ["FunctionRole", "Arn"]}),
        "ApiFunction": dict(function),
        "ApiPermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "ApiFunction"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {
                    "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/" + STAGE + "/*/*"
                },
            },
        },
    }


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def signature(
    access_key: str, token: str = "", *, service: str = "execute-api", region: str = "eu-central-1"
) -> dict[str, str]:
    """Return the headers of a signed request; the local cloud looks at who signs, not at the signature."""
    scope = f"Credential={access_key}/20261121/{region}/{service}/aws4_request"
    signed = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    return signed | ({"x-amz-security-token": token} if token else {})


def ask(  # noqa: PLR0917 - what a request is made of
    cloud: Cloud, api: str, path: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
) -> Got:
    """Ask a route of the stage over HTTP."""
    host = cloud.endpoint_url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        content = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        sent = {"content-type": "application/json", **(headers or {})} if content is not None else dict(headers or {})
        connection.request(method, f"/restapis/{api}/{STAGE}/_user_request_{path}", content, sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, found, answer.read())
    finally:
        connection.close()
