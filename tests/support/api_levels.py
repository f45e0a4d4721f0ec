"""Each resource type of API Gateway at its level, seen through requests and through AWS's own API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from api_template import STAGE, Got, ask, signature
from tiny_assembly import allow

from modelwright.local.template.registry import Level

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = {"rows": [1]}
OBSERVED: dict[str, tuple[Level, Callable[[Any], None]]] = {}


def level(kind: str, declared: Level) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    def register(observe: Callable[[Any], None]) -> Callable[[Any], None]:
        OBSERVED[f"AWS::ApiGateway::{kind}"] = (declared, observe)
        return observe

    return register


def asked(levels: Any, path: str, method: str = "POST", body: Any = None, **headers: str) -> Got:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(levels.cloud, levels.id("Api"), path, method, body, named)


def keyed(levels: Any, key: str) -> Got:
    value = levels.client("apigateway").get_api_key(apiKey=levels.id(key), includeValue=True)["value"]
    return asked(levels, "/keyed", body=ROWS, x_api_key=value)


@level("RestApi", Level.RUNS)
def rest_api(levels: Any) -> None:
    found = levels.client("apigateway").get_rest_api(restApiId=levels.id("Api"))
    assert (found["name"], found["endpointConfiguration"]["types"]) == ("levels", ["REGIONAL"])
    assert asked(levels, "/unchecked", body={"a": 1}).document["body"] == '{"a": 1}'


@level("Resource", Level.RUNS)
def path(levels: Any) -> None:
    items = levels.client("apigateway").get_resources(restApiId=levels.id("Api"))["items"]
    assert {item["path"] for item in items} == {"/", "/signed", "/keyed", "/checked", "/unchecked"}
    assert asked(levels, "/nowhere").document == {"message": "Missing Authentication Token"}


@level("Method", Level.ENFORCED)
def method(levels: Any) -> None:
    arn = f"arn:aws:execute-api:eu-central-1:{levels.cloud.account}:{levels.id('Api')}/{STAGE}/GET/signed"
    answers = []
    for statements in ([allow("execute-api:Invoke", arn)], []):
        keys = levels.cloud.callers.session(levels.role(*statements))
        answers.append(asked(levels, "/signed", "GET", **signature(keys.access_key, keys.session_token)))
    assert [answer.status for answer in answers] == [200, 403]
    assert "is not authorized to perform: execute-api:Invoke on resource" in answers[1].document["Message"]
    assert levels.cloud.account not in answers[1].document["Message"].partition("on resource")[2]


@level("Model", Level.ENFORCED)
def model(levels: Any) -> None:
    assert [asked(levels, "/checked", body=body).status for body in (ROWS, {"rows": []}, [])] == [200, 422, 422]


@level("RequestValidator", Level.ENFORCED)
def validator(levels: Any) -> None:
    assert asked(levels, "/checked", body={}).status == 422
    assert asked(levels, "/unchecked", body={}).status == 200


@level("GatewayResponse", Level.RUNS)
def gateway_response(levels: Any) -> None:
    assert asked(levels, "/checked", body={}).document == {"said": "Invalid request body"}


@level("Deployment", Level.RUNS)
def deployment(levels: Any) -> None:
    api = levels.cloud.services["apigateway"].api(levels.id("Api"))
    removed = {key: api.methods.pop(key) for key in list(api.methods) if key[1] == "POST"}
    try:
        assert asked(levels, "/unchecked", body={}).status == 200
    finally:
        api.methods |= removed


@level("Stage", Level.RUNS)
def stage(levels: Any) -> None:
    before = levels.metric("AWS/ApiGateway", "4XXError")
    refused = asked(levels, "/signed", "GET")
    levels.cloud.services["apigateway"].flush()
    assert levels.metric("AWS/ApiGateway", "4XXError") == before + 2, "of the API, and of its stage"
    lines = levels.client("logs").filter_log_events(logGroupName="api")["events"]
    written = {found["id"]: found for found in (json.loads(line["message"]) for line in lines)}
    line = written[refused.headers["x-amzn-requestid"]]
    assert (line["status"], line["who"], line["x"]) == ("403", "-", "-")


@level("ApiKey", Level.ENFORCED)
def key(levels: Any) -> None:
    assert keyed(levels, "GoodKey").status == 200
    refused = asked(levels, "/keyed", body=ROWS, x_api_key="guessed")
    assert (refused.status, refused.document) == (403, {"message": "Forbidden"})


@level("UsagePlan", Level.ENFORCED)
def plan(levels: Any) -> None:
    answers = [keyed(levels, "SpentKey") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].document == {"message": "Limit Exceeded"}
    day = levels.cloud.services["apigateway"].usage.today()
    usage = levels.client("apigateway").get_usage(usagePlanId=levels.id("SmallPlan"), startDate=day, endDate=day)
    assert usage["items"] == {levels.id("SpentKey"): [[2, 0]]}


@level("UsagePlanKey", Level.ENFORCED)
def plan_key(levels: Any) -> None:
    assert keyed(levels, "LooseKey").status == 403, "a key of no plan"


@level("Account", Level.RECORDED)
def account(levels: Any) -> None:
    found = levels.client("apigateway").get_account()
    assert found["cloudwatchRoleArn"] == levels.arn("FunctionRole")
