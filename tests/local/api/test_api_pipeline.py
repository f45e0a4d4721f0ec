"""A pipeline's REST API from the request to the model: the schema's problems, the hook, the endpoint's, the grants."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from api_ground import GOOD, ApiGround, make_project
from api_template import STAGE, ask, signature
from openapi_spec_validator import OpenAPIV31SpecValidator
from pipeline_ground import REGION
from policy_surgery import Decisions, grants, policies, without
from trial_pages import SCHEMA

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = "{authorization: iam, requests_per_second: 1000, burst: 1000, hook: hook.py}"
ROLE = "ServeApiFunctionRole"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiGround]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), REGION)
    cloud.start()
    try:
        yield ApiGround(cloud, make_project(tmp_path_factory.mktemp("project"), SETTINGS))
    finally:
        cloud.stop()


@pytest.fixture(autouse=True)
def learnt(ground: ApiGround) -> None:
    ground.learn()


def read(ground: ApiGround, path: str) -> Any:
    """A GET of the API, signed by the owner."""
    key = ground.cloud.callers.owner.access_key
    identifier = ground.way.url.split("/")[4]
    return ask(ground.cloud, identifier, path, headers=signature(key))


def test_rows_are_answered(ground: ApiGround) -> None:
    answer = ground.ask(GOOD, {**GOOD, "species": None})
    assert answer.status == 200
    assert [row["sex"] for row in answer.document["predictions"]] == ["male", "male"]
    assert list(answer.document["predictions"][0]["row"]) == [column["name"] for column in SCHEMA["columns"]]


def test_many_at_once_are_all_answered(ground: ApiGround) -> None:
    with ThreadPoolExecutor(64) as pool:
        found = list(pool.map(lambda number: ground.ask({**GOOD, "bill_length_mm": number}), range(64)))
    assert {answer.status for answer in found} == {200}
    assert [answer.document["predictions"][0]["row"]["bill_length_mm"] for answer in found] == list(range(64))


def test_everything_that_is_wrong_is_said_at_once_and_the_next_request_is_answered(ground: ApiGround) -> None:
    answer = ground.ask({**GOOD, "island": "Fiji"}, {**GOOD, "year": 2008.5, "extra": 1})
    assert (answer.status, answer.document["error"]) == (400, "InvalidRows")
    assert [(item["row"], item["column"]) for item in answer.document["problems"]] == [
        *((1, "island"), (2, "year"), (2, "extra"))
    ]
    assert ground.ask(GOOD).status == 200


def test_the_hook_of_the_release_prepares_rows(ground: ApiGround) -> None:
    row = {name: value for name, value in GOOD.items() if name != "bill_length_mm"}
    answer = ground.ask({**row, "bill_cm": 4})
    assert answer.document["predictions"][0]["row"]["bill_length_mm"] == 40.0
    wrong = ground.ask({**row, "bill_cm": "wide"})
    assert (wrong.status, wrong.document["error"]) == (400, "RefusedByTheHook")
    assert "could not convert string to float: 'wide'" in wrong.document["message"]
    broken = ground.ask({**GOOD, "species": "hook breaks"})
    said = "The hook hook.py failed; the log of the API's function says why."
    assert (broken.status, broken.document["message"]) == (500, said)
    refused = ground.ask({**row, "bill_cm": 4, "island": "Fiji"})
    assert "not what the model takes after its preprocessing" in refused.document["message"]


def test_another_release_brings_its_own_hook(ground: ApiGround) -> None:
    path = ground.root / "training_code" / "penguins" / "hook.py"
    before = path.read_text()
    path.write_text("def preprocess(rows):\n    return [{**row, 'bill_length_mm': 55} for row in rows]\n")
    try:
        assert ground.run() == "Deployed"
        ground.learn()
        assert ground.ask(GOOD).document["predictions"][0]["row"]["bill_length_mm"] == 55
    finally:
        path.write_text(before)
        assert ground.run() == "Deployed"


def test_without_a_schema_only_the_form_is_checked(ground: ApiGround) -> None:
    ground.learn(None)
    assert ground.ask({"anything": 1}).document["predictions"][0]["row"] == {"anything": 1}
    assert read(ground, "/schema").document["error"] == "NoSchema"
    assert OpenAPIV31SpecValidator(read(ground, "/openapi.json").document).is_valid()


def test_a_schema_that_cannot_be_read_is_said(ground: ApiGround) -> None:
    ground.learn({"version": 9})
    answer = ground.ask(GOOD)
    assert (answer.status, answer.document["error"]) == (500, "SchemaUnreadable")
    assert "has version 9; this function reads 1" in answer.document["message"]


def test_the_schema_and_the_document_can_be_read(ground: ApiGround) -> None:
    assert read(ground, "/schema").document == SCHEMA
    document = read(ground, "/openapi.json").document
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert document["servers"] == [{"url": ground.way.url.removesuffix("/predict")}]
    assert set(document["paths"]) == {"/predict", "/schema", "/openapi.json"}
    assert document["components"]["schemas"]["PreparedRow"]["required"] == ["island", "year"]


@pytest.mark.parametrize(
    ("species", "status", "error"),
    [("break", 502, "ModelFailed"), ("large", 413, "AnswerTooLarge")],
)
def test_what_the_model_does_wrong_is_said(ground: ApiGround, species: str, status: int, error: str) -> None:
    answer = ground.ask({**GOOD, "species": species})
    assert (answer.status, answer.document["error"]) == (status, error)
    assert ground.ask(GOOD).status == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status", "error"),
    [
        ("a,b\n1,2\n", "text/csv", 415, "UnsupportedMediaType"),
        ('{"instances": []}', "application/json", 400, "InvalidRequestBody"),
        ("[", "application/json", 400, "InvalidRequestBody"),
        ("", "application/json", 400, "InvalidRequestBody"),
        ('{"instances": [{"year": NaN}]}', "application/json; charset=utf-8", 400, "InvalidJson"),
        ('{"instances": [{"species": "\\ud800"}]}', "application/json", 400, "InvalidRows"),
    ],
)
def test_bad_bodies_get_a_json_answer(ground: ApiGround, body: str, content_type: str, status: int, error: str) -> None:
    headers = signature(ground.cloud.callers.owner.access_key) | {"content-type": content_type}
    got = ask(ground.cloud, ground.way.url.split("/")[4], "/predict", "POST", body, headers)
    assert (got.status, got.document["error"]) == (status, error)
    assert got.document["message"]


def test_each_grant_of_the_function_is_needed(ground: ApiGround) -> None:
    """Without one a request is answered otherwise, by a process that has read nothing yet."""
    found = policies(ground.cloud)
    decisions = Decisions(ground.cloud)
    wanted = [each for each in grants(found) if each.owner == ROLE and each.allows and each.sid != "trust"]
    beside = {"xray:PutTelemetryRecords", "xray:PutTraceSegments", "logs:CreateLogStream", "logs:PutLogEvents"}
    wanted = [each for each in wanted if each.action not in beside]
    assert {each.action for each in wanted} == {
        *("dynamodb:GetItem", "s3:GetObject", "s3:ListBucket", "sagemaker:InvokeEndpoint", "kms:Decrypt")
    }
    for grant in wanted:
        ground.learn(None if grant.action == "s3:ListBucket" else SCHEMA)
        ground.new_processes()
        assert ground.ask(GOOD).status == 200
        ground.learn(None if grant.action == "s3:ListBucket" else SCHEMA)
        ground.new_processes()
        decisions.forget()
        with without(ground.cloud, found, grant):
            assert ground.ask(GOOD).status == 502, str(grant)
        assert grant.action.lower() in decisions.refused


def test_every_resource_of_the_grants_is_touched(ground: ApiGround) -> None:
    decisions = Decisions(ground.cloud)
    ground.new_processes()
    assert ground.ask(GOOD).status == 200
    read_keys = {
        resource.partition(":::")[2].partition("/")[2]
        for _, action, resource in decisions.used
        if action == "s3:getobject"
    }
    assert {key.partition("/")[0] for key in read_keys} == {"releases", "code", "models"}
    assert any(key.endswith("/files/hook.py") for key in read_keys)


def test_the_function_may_be_called_by_its_api_alone(ground: ApiGround) -> None:
    function, account = ground.physical("ServeApiFunction"), ground.cloud.account
    arn = f"arn:aws:lambda:{REGION}:{account}:function:{function}"
    source = f"arn:aws:execute-api:{REGION}:{account}:0000000000/{STAGE}/POST/predict"
    with pytest.raises(Exception, match="not authorized to perform: lambda:InvokeFunction"):
        ground.cloud.iam.authorize_service(
            "apigateway.amazonaws.com", "lambda:InvokeFunction", arn, {"aws:SourceArn": source}
        )


def test_while_nothing_serves_503_says_so(ground: ApiGround) -> None:
    ground.client("sagemaker").delete_endpoint(EndpointName=ground.deployment.endpoint_name)
    ground.settled()
    answer = ground.ask(GOOD)
    assert (answer.status, answer.document["error"]) == (503, "NoEndpoint")
    key = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": "CHAMPION"}}
    ground.client("dynamodb").delete_item(TableName=ground.deployment.table, Key=key)
    answer = ground.ask(GOOD)
    assert (answer.status, answer.document) == (
        503,
        {"error": "NoModel", "message": "No model of penguins serves yet."},
    )
