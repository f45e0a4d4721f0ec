"""The REST API in front of a pipeline's endpoint (docs/adr/0016-the-rest-api.md, docs/api.md).

A REST API and no HTTP API: usage plans, API keys and request validators exist for this kind only.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws, CfnOutput
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from modelwright.workflow.trigger_functions import SERVE_API
from stacks.constructs.logs import log_group
from stacks.policies import arn
from stacks.policy_checks import accept_all, accept_checkov

if TYPE_CHECKING:
    from constructs import Construct

    from modelwright.config.structure import ApiStructure
    from stacks.constructs.functions import Functions
    from stacks.names import PipelineNames

STAGE = "live"
LONGEST_MILLISECONDS = 29_000
"""Of an integration: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
ROUTES = {"predict": "POST", "schema": "GET", "openapi.json": "GET"}
ENVELOPE = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Envelope",
    "type": "object",
    "required": ["instances"],
    "additionalProperties": False,
    "properties": {"instances": {"type": "array", "minItems": 1, "items": {"type": "object"}}},
}
"""What API Gateway itself checks; the rows are the function's, which knows the model that serves."""
_WRONG_BODY = {
    "error": "InvalidRequestBody",
    "message": 'The body must be a JSON object with a list of rows: {"instances": [{"<column>": <value>, ...}, ...]}. '
    "GET openapi.json describes the columns.",
}
_ACCESS_LOG = {
    name: f"$context.{name}"
    for name in (
        *("requestId", "extendedRequestId", "requestTime", "httpMethod", "resourcePath", "status"),
        *("responseLength", "responseLatency", "integrationLatency", "integration.status", "integration.error"),
        *("identity.sourceIp", "identity.userArn", "identity.apiKeyId", "error.responseType"),
    )
}
"""Who asked, how it ended, how long it took; no row, no prediction, no text of a caller's own.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""
_NO_CACHE = "a prediction is asked with POST and may change with each deployment; GET is rare and cheap"
_NO_FIREWALL = "a firewall costs by the month and is the account's choice; limits and authorization are here"
_ACCESS_LOG_SAYS = "the access log says what the execution log would: status, error and reason of each request"
_STAGE_NAG = {
    "AwsSolutions-APIG3": _NO_FIREWALL,
    "AwsSolutions-APIG6": _ACCESS_LOG_SAYS,
    "NIST.800.53.R5-APIGWAssociatedWithWAF": _NO_FIREWALL,
    "NIST.800.53.R5-APIGWCacheEnabledAndEncrypted": _NO_CACHE,
    "NIST.800.53.R5-APIGWExecutionLoggingEnabled": _ACCESS_LOG_SAYS,
    "NIST.800.53.R5-APIGWSSLEnabled": "behind it is a function, which API Gateway calls with its own credentials",
}
_METHOD_NAG = {"AwsSolutions-COG4": "its callers are programs with a signature of AWS or a key, no people who log in"}


def rest_api(
    scope: Construct, maker: Functions, names: PipelineNames, asked: ApiStructure, logs: tuple[str | None, int]
) -> None:
    """Make the API with its function, its one stage and, for API keys, its plan and key; `logs`: key ARN, days."""
    function = maker.make(SERVE_API)
    what = f"Predictions of {names.pipeline}, environment {names.environment}"
    api = apigateway.CfnRestApi(
        scope,
        "Api",
        name=names.prefix,
        description=what,
        api_key_source_type="HEADER",
        endpoint_configuration={"types": ["REGIONAL"]},
    )
    methods = _methods(scope, api, function, asked)
    _wrong_body(scope, api)
    _permission(scope, api, function)
    stage = _stage(scope, _deployment(scope, api, asked, methods), asked, logs)
    if asked.authorization == "api-key":
        _key(scope, names, stage, asked)
    url = f"https://{api.ref}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{STAGE}"
    CfnOutput(scope, "ApiUrl", value=url)


def _methods(
    scope: Construct, api: apigateway.CfnRestApi, function: lambda_.CfnFunction, asked: ApiStructure
) -> list[apigateway.CfnMethod]:
    common: dict[str, Any] = {
        "rest_api_id": api.ref,
        "authorization_type": "AWS_IAM" if asked.authorization == "iam" else "NONE",
        "api_key_required": asked.authorization == "api-key",
        "integration": _integration(function),
        "request_validator_id": _validator(scope, api).ref,
    }
    envelope = {"application/json": _envelope(scope, api).ref}
    made = []
    for path, verb in ROUTES.items():
        id_ = "Api" + path.partition(".")[0].capitalize()
        resource = apigateway.CfnResource(
            scope, f"{id_}Resource", rest_api_id=api.ref, parent_id=api.attr_root_resource_id, path_part=path
        )
        body: dict[str, Any] = {"request_models": envelope} if verb == "POST" else {}
        method = apigateway.CfnMethod(
            scope, f"{id_}Method", resource_id=resource.ref, http_method=verb, **common, **body
        )
        _accept_method(method, asked)
        made.append(method)
    return made


def _validator(scope: Construct, api: apigateway.CfnRestApi) -> apigateway.CfnRequestValidator:
    return apigateway.CfnRequestValidator(
        scope,
        "ApiValidator",
        rest_api_id=api.ref,
        name="all",
        validate_request_body=True,
        validate_request_parameters=True,
    )


def _envelope(scope: Construct, api: apigateway.CfnRestApi) -> apigateway.CfnModel:
    return apigateway.CfnModel(
        scope, "ApiEnvelope", rest_api_id=api.ref, name="Envelope", content_type="application/json", schema=ENVELOPE
    )


def _integration(function: lambda_.CfnFunction) -> dict[str, Any]:
    """A Lambda is called with POST, whatever its caller used.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    path = f"path/2015-03-31/functions/{function.attr_arn}/invocations"
    uri = arn("apigateway", path, account="lambda")
    return {
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": uri,
        "timeoutInMillis": LONGEST_MILLISECONDS,
    }


def _accept_method(method: apigateway.CfnMethod, asked: ApiStructure) -> None:
    reasons = dict(_METHOD_NAG)
    if asked.authorization == "api-key":
        reasons["AwsSolutions-APIG4"] = "the pipeline's settings ask for API keys: authorization: api-key"
    accept_all(method, reasons)


def _wrong_body(scope: Construct, api: apigateway.CfnRestApi) -> None:
    """Say what a body must be; what exactly is wrong cannot be said, as API Gateway writes its reason unescaped.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    apigateway.CfnGatewayResponse(
        scope,
        "ApiWrongBody",
        rest_api_id=api.ref,
        response_type="BAD_REQUEST_BODY",
        status_code="400",
        response_templates={"application/json": json.dumps(_WRONG_BODY)},
    )


def _permission(scope: Construct, api: apigateway.CfnRestApi, function: lambda_.CfnFunction) -> None:
    """Let this API, and its one stage alone, call the function.

    Its ARN has the account, so no SourceAccount: where a service does not tell that, as EventBridge, Lambda refuses it.
    https://github.com/awsdocs/aws-cloudformation-user-guide/pull/481
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    lambda_.CfnPermission(
        scope,
        "ApiCallsFunction",
        action="lambda:InvokeFunction",
        function_name=function.ref,
        principal="apigateway.amazonaws.com",
        source_arn=arn("execute-api", f"{api.ref}/{STAGE}/*/*"),
    )


def _deployment(
    scope: Construct, api: apigateway.CfnRestApi, asked: ApiStructure, methods: list[apigateway.CfnMethod]
) -> apigateway.CfnDeployment:
    """Make what the stage serves: a deployment never changes, so one of other methods has another logical id.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigateway-deployment.html
    """
    shape = [asked.authorization, ROUTES, ENVELOPE, _WRONG_BODY, LONGEST_MILLISECONDS]
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:8]
    made = apigateway.CfnDeployment(scope, f"ApiDeployment{digest}", rest_api_id=api.ref)
    for method in methods:
        made.add_dependency(method)
    for child in scope.node.children:
        if isinstance(child, apigateway.CfnGatewayResponse):
            made.add_dependency(child)
    return made


def _stage(
    scope: Construct, deployment: apigateway.CfnDeployment, asked: ApiStructure, logs: tuple[str | None, int]
) -> apigateway.CfnStage:
    group = log_group(scope, "ApiAccessLog", *logs)
    stage = apigateway.CfnStage(
        scope,
        "ApiStage",
        rest_api_id=deployment.rest_api_id,
        deployment_id=deployment.ref,
        stage_name=STAGE,
        # without the `:*` of Fn::GetAtt: https://docs.aws.amazon.com/apigateway/latest/api/API_AccessLogSettings.html
        access_log_setting={"destinationArn": arn("logs", f"log-group:{group.ref}"), "format": json.dumps(_ACCESS_LOG)},
        method_settings=[
            {
                "httpMethod": "*",
                "resourcePath": "/*",
                "throttlingRateLimit": asked.requests_per_second,
                "throttlingBurstLimit": asked.burst,
                "loggingLevel": "OFF",
                "dataTraceEnabled": False,
            }
        ],
        tracing_enabled=True,
    )
    accept_checkov(stage, {"CKV_AWS_120": _NO_CACHE})
    accept_all(stage, _STAGE_NAG)
    return stage


def _key(scope: Construct, names: PipelineNames, stage: apigateway.CfnStage, asked: ApiStructure) -> None:
    """Make one key and the plan that counts for each key: more keys are the operator's, in the same plan.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    quota = {"limit": asked.requests_per_day, "period": "DAY"} if asked.requests_per_day else None
    plan = apigateway.CfnUsagePlan(
        scope,
        "ApiPlan",
        usage_plan_name=names.prefix,
        description=f"What one key may ask of {names.pipeline}",
        api_stages=[{"apiId": stage.rest_api_id, "stage": stage.ref}],
        throttle={"rateLimit": asked.requests_per_second, "burstLimit": asked.burst},
        quota=quota,
    )
    key = apigateway.CfnApiKey(scope, "ApiKey", description=f"Asks {names.prefix}", enabled=True)
    apigateway.CfnUsagePlanKey(scope, "ApiPlanKey", key_id=key.ref, key_type="API_KEY", usage_plan_id=plan.ref)
    CfnOutput(scope, "ApiKeyId", value=key.ref)
