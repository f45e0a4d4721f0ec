"""What `deploy.api` puts into the template: one API, one stage, who may call it, how often, and what is logged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, read_stack

from modelwright.config.environment import EnvironmentSettings
from modelwright.config.structure import ApiStructure, PipelineStructure
from stacks.data_stack import DataStack
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

IAM = ApiStructure("iam", requests_per_second=7, burst=11, requests_per_day=None)
KEYS = replace(IAM, authorization="api-key", requests_per_day=500)
LONG = replace(IAM, burst=12)


def synthesized(folder: Path, api: ApiStructure | None, *, api_logs: str = "existing") -> Path:
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    settings = EnvironmentSettings("dev", "eu-central-1", api_logs=api_logs)
    env = Environment(region=settings.region)
    DataStack(app, settings, env)
    PipelineStack(app, settings, PipelineStructure("whales", "realtime", "main", None, None, api=api), env)
    app.synth()
    return folder


@pytest.fixture(scope="module")
def iam(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return read_stack(synthesized(tmp_path_factory.mktemp("iam"), IAM), "mw-dev-whales")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return read_stack(synthesized(tmp_path_factory.mktemp("keys"), KEYS), "mw-dev-whales")


def types(stack: Stack) -> set[str]:
    return {kind for _, resource in stack.resources() if (kind := resource["Type"]).startswith("AWS::ApiGateway")}


def test_without_the_setting_there_is_no_api(tmp_path: Path) -> None:
    stack = read_stack(synthesized(tmp_path, None), "mw-dev-whales")
    assert types(stack) == set()
    assert "serve_api" not in stack.functions()
    assert "ApiUrl" not in stack.body["Outputs"]


def test_every_route_asks_for_a_signature(iam: Stack) -> None:
    methods = iam.all("AWS::ApiGateway::Method").values()
    assert {(method["HttpMethod"], method["AuthorizationType"], method["ApiKeyRequired"]) for method in methods} == {
        ("POST", "AWS_IAM", False),
        ("GET", "AWS_IAM", False),
    }
    assert not iam.all("AWS::ApiGateway::ApiKey")
    assert "ApiKeyId" not in iam.body["Outputs"]


def test_every_route_asks_for_a_key_that_a_plan_counts(keys: Stack) -> None:
    methods = keys.all("AWS::ApiGateway::Method").values()
    assert {(method["AuthorizationType"], method["ApiKeyRequired"]) for method in methods} == {("NONE", True)}
    plan_id, plan = keys.one("AWS::ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 7, "BurstLimit": 11}
    assert plan["Quota"] == {"Limit": 500, "Period": "DAY"}
    key_id, key = keys.one("AWS::ApiGateway::ApiKey")
    assert "Value" not in key, "AWS makes it: a template is no place for a secret"
    _, joined = keys.one("AWS::ApiGateway::UsagePlanKey")
    assert joined == {"KeyId": f"<{key_id}>", "KeyType": "API_KEY", "UsagePlanId": f"<{plan_id}>"}


def test_only_this_api_and_its_stage_may_call_the_function(iam: Stack) -> None:
    api_id, api = iam.one("AWS::ApiGateway::RestApi")
    function = iam.one("AWS::Lambda::Function", Handler="serve_api.handler.handler")[0]
    _, permission = iam.one("AWS::Lambda::Permission", Principal="apigateway.amazonaws.com")
    assert permission["FunctionName"] == f"<{function}>"
    assert permission["SourceArn"].endswith(f":<{api_id}>/live/*/*")
    assert ":<AWS::AccountId>:" in permission["SourceArn"]
    assert "SourceAccount" not in permission, "no page says that API Gateway tells its account: it would be refused"
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_stage_has_limits_and_a_log_without_rows(iam: Stack) -> None:
    _, stage = iam.one("AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (7, 11)
    assert settings["DataTraceEnabled"] is False
    written = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"requestId", "status", "identity.userArn", "identity.apiKeyId", "error.responseType"} <= set(written)
    own = ("input", "body", "useragent", "error.message")
    assert not any(text in value.lower() for value in written.values() for text in own), "a caller's own text"
    group = stage["AccessLogSetting"]["DestinationArn"].rpartition(":log-group:")[2].strip("<>")
    assert iam.all("AWS::Logs::LogGroup")[group]["KmsKeyId"] == "<SharedKeyArn>"


def test_a_body_is_held_against_the_envelope(iam: Stack) -> None:
    _, method = iam.one("AWS::ApiGateway::Method", HttpMethod="POST")
    validator, _ = iam.one("AWS::ApiGateway::RequestValidator", ValidateRequestBody=True)
    model_id, model = iam.one("AWS::ApiGateway::Model")
    assert method["RequestValidatorId"] == f"<{validator}>"
    assert method["RequestModels"] == {"application/json": f"<{model_id}>"}
    assert model["Schema"]["required"] == ["instances"]
    _, answer = iam.one("AWS::ApiGateway::GatewayResponse", ResponseType="BAD_REQUEST_BODY")
    assert '{"instances": ' in json.loads(answer["ResponseTemplates"]["application/json"])["message"]


def test_a_deployment_is_another_one_when_a_method_is(iam: Stack, keys: Stack, tmp_path: Path) -> None:
    same = read_stack(synthesized(tmp_path, LONG), "mw-dev-whales")
    ids = [stack.one("AWS::ApiGateway::Deployment")[0] for stack in (iam, keys, same)]
    assert ids[0] != ids[1], "a deployment is never changed: the stage would go on with the methods before"
    assert ids[0] == ids[2], "limits are the stage's own"
    deployment = iam.body["Resources"][ids[0]]
    assert set(iam.all("AWS::ApiGateway::Method")) <= set(deployment["DependsOn"])


def test_what_the_function_may_do(iam: Stack) -> None:
    role = iam.function_role("serve_api")
    artifacts = "arn:<AWS::Partition>:s3:::<SharedArtifactBucket>"
    assert role.allows("s3:GetObject", f"{artifacts}/models/whales/{'0' * 64}/schema.json")
    assert not role.allows("s3:GetObject", f"{artifacts}/models/whales/{'0' * 64}/model.tar.gz")
    assert not role.allows("s3:GetObject", f"{artifacts}/code/other/{'0' * 64}/files/hook.py")
    assert {action for action in role.actions() if action.startswith(("s3:", "dynamodb:", "sagemaker:"))} == {
        *("s3:GetObject", "s3:ListBucket", "dynamodb:GetItem", "sagemaker:InvokeEndpoint")
    }


def test_its_alarms_watch_this_stage(iam: Stack) -> None:
    alarms = iam.all("AWS::CloudWatch::Alarm")
    for name, metric in (("ApiErrorsAlarm", "5XXError"), ("ApiRefusalsAlarm", "4XXError")):
        stats = [query["MetricStat"]["Metric"] for query in alarms[name]["Metrics"] if "MetricStat" in query]
        assert {item["MetricName"] for item in stats} == {metric, "Count"}
        for item in stats:
            dimensions = {each["Name"]: each["Value"] for each in item["Dimensions"]}
            assert dimensions == {"ApiName": "mw-dev-whales", "Stage": "live"}


def test_the_accounts_role_for_logs_is_made_on_request_and_kept(tmp_path: Path) -> None:
    folder = synthesized(tmp_path, None, api_logs="create")
    data = read_stack(folder, "mw-dev-data")
    account_id, account = data.one("AWS::ApiGateway::Account")
    role_id = account["CloudWatchRoleArn"].strip("<>").removesuffix(".Arn")
    assert data.role(account["CloudWatchRoleArn"]).trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    for made in (account_id, role_id):
        assert data.body["Resources"][made]["DeletionPolicy"].startswith("Retain")


def test_nobody_sets_the_accounts_role_unasked(iam: Stack, tmp_path: Path) -> None:
    data = read_stack(synthesized(tmp_path, IAM), "mw-dev-data")
    assert not data.all("AWS::ApiGateway::Account")
    assert "AWS::ApiGateway::Account" not in types(iam)
