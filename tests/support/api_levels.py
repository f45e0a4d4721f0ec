"""Each resource type of API Gateway at its level, seen through requests and through AWS's own API."""

from __future__ import annotations

import json
from typing import Any

from api_template import STAGE, Got, ask, signature
from level_registry import ENFORCED, RECORDED, RUNS, Observed
from tiny_assembly import allow

ROWS = {"rows": [1]}
OBSERVED = Observed()


def asked(levels: Any, path: str, method: str = "POST", body: Any = None, **headers: str) -> Got:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(levels.cloud, levels.id("Api"), path, method, body, named)


def keyed(levels: Any, key: str) -> Got:
    value = levels.client("apigateway").get_api_key(apiKey=levels.id(key), includeValue=True)["value"]
    return asked(levels, "/keyed", body=ROWS, x_api_key=value)


@OBSERVED.level("AWS::ApiGateway::RestApi", RUNS)
def rest_api(levels: Any) -> None:
    found = levels.client("apigateway").get_rest_api(restApiId=levels.id("Api"))
    assert (found["name"], found["endpointConfiguration"]["types"]) == ("levels", ["REGIONAL"])
    assert asked(levels, "/unchecked", body={"a": 1}).document["body"] == '{"a": 1}'


@OBSERVED.level("AWS::ApiGateway::Resource", RUNS)
def path(levels: Any) -> None:
    items = levels.client("apigateway").get_resources(restApiId=levels.id("Api"))["items"]
    assert {item["path"] for item in items} == {"/", "/signed", "/keyed", "/checked", "/unchecked", "/hasty"}
    assert asked(levels, "/nowhere").document == {"message": "Missing Authentication Token"}


@OBSERVED.level("AWS::ApiGateway::Method", ENFORCED)
def method(levels: Any) -> None:
    arn = f"arn:aws:execute-api:eu-central-1:{levels.cloud.account}:{levels.id('Api')}/{STAGE}/GET/signed"
    answers = []
    for statements in ([allow("execute-api:Invoke", arn)], []):
        keys = levels.cloud.callers.session(levels.role(*statements))
        answers.append(asked(levels, "/signed", "GET", **signature(keys.access_key, keys.session_token)))
    assert [answer.status for answer in answers] == [200, 403]
    assert "is not authorized to perform: execute-api:Invoke on resource" in answers[1].document["Message"]
    assert levels.cloud.account not in answers[1].document["Message"].partition("on resource")[2]


@OBSERVED.level("AWS::ApiGateway::Model", ENFORCED)
def model(levels: Any) -> None:
    assert [asked(levels, "/checked", body=body).status for body in (ROWS, {"rows": []}, [])] == [200, 422, 422]


@OBSERVED.level("AWS::ApiGateway::RequestValidator", ENFORCED)
def validator(levels: Any) -> None:
    assert asked(levels, "/checked", body={}).status == 422
    assert asked(levels, "/unchecked", body={}).status == 200


@OBSERVED.level("AWS::ApiGateway::GatewayResponse", RUNS)
def gateway_response(levels: Any) -> None:
    assert asked(levels, "/checked", body={}).document == {"said": "Invalid request body"}


@OBSERVED.level("AWS::ApiGateway::Deployment", RUNS)
def deployment(levels: Any) -> None:
    api = levels.cloud.services["apigateway"].api(levels.id("Api"))
    removed = {key: api.methods.pop(key) for key in list(api.methods) if key[1] == "POST"}
    try:
        assert asked(levels, "/unchecked", body={}).status == 200
    finally:
        api.methods |= removed


@OBSERVED.level("AWS::ApiGateway::Stage", RUNS)
def stage(levels: Any) -> None:
    before = levels.metric("AWS/ApiGateway", "4XXError")
    refused = asked(levels, "/signed", "GET")
    levels.cloud.services["apigateway"].flush()
    assert levels.metric("AWS/ApiGateway", "4XXError") == before + 2, "of the API, and of its stage"
    lines = levels.client("logs").filter_log_events(logGroupName="api")["events"]
    written = {found["id"]: found for found in (json.loads(line["message"]) for line in lines)}
    line = written[refused.headers["x-amzn-requestid"]]
    assert (line["status"], line["who"], line["x"]) == ("403", "-", "-")


@OBSERVED.level("AWS::ApiGateway::ApiKey", ENFORCED)
def key(levels: Any) -> None:
    assert keyed(levels, "GoodKey").status == 200
    refused = asked(levels, "/keyed", body=ROWS, x_api_key="guessed")
    assert (refused.status, refused.document) == (403, {"message": "Forbidden"})


@OBSERVED.level("AWS::ApiGateway::UsagePlan", ENFORCED)
def plan(levels: Any) -> None:
    answers = [keyed(levels, "SpentKey") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].document == {"message": "Limit Exceeded"}
    day = levels.cloud.services["apigateway"].usage.today()
    usage = levels.client("apigateway").get_usage(usagePlanId=levels.id("SmallPlan"), startDate=day, endDate=day)
    assert usage["items"] == {levels.id("SpentKey"): [[2, 0]]}


@OBSERVED.level("AWS::ApiGateway::UsagePlanKey", ENFORCED)
def plan_key(levels: Any) -> None:
    assert keyed(levels, "LooseKey").status == 403, "a key of no plan"


@OBSERVED.level("AWS::ApiGateway::Account", RECORDED)
def account(levels: Any) -> None:
    found = levels.client("apigateway").get_account()
    assert found["cloudwatchRoleArn"] == levels.arn("FunctionRole")
