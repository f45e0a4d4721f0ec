"""Requests to a REST API of the local cloud: AWS's event, AWS's refusals, in AWS's words."""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from api_template import STAGE, ask, signature
from tiny_assembly import allow, policy, trusts

if TYPE_CHECKING:
    from pathlib import Path

    from api_stage import Apis


def owner(apis: Apis) -> dict[str, str]:
    return signature(apis.cloud.callers.owner.access_key)


def asked(apis: Apis, path: str, method: str = "POST", body: Any = None, **headers: str) -> Any:
    return ask(apis.cloud, apis.id("Api"), path, method, body, headers)


def test_the_function_gets_awss_event(apis: Apis) -> None:
    got = asked(apis, "/signed?a=1&a=2&b=", "GET", **owner(apis))
    event = got.document
    assert set(event) == {
        *("resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters"),
        *("multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext", "body"),
        "isBase64Encoded",
    }
    assert (event["resource"], event["path"], event["httpMethod"], event["body"]) == ("/signed", "/signed", "GET", None)
    assert event["queryStringParameters"] == {"a": "2", "b": ""}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert event["headers"]["X-Forwarded-Proto"] == "http"
    context = event["requestContext"]
    assert set(context) == {
        *("resourceId", "resourcePath", "httpMethod", "extendedRequestId", "requestTime", "path", "accountId"),
        *("protocol", "stage", "domainPrefix", "requestTimeEpoch", "requestId", "identity", "domainName"),
        *("deploymentId", "apiId"),
    }
    assert (context["apiId"], context["stage"]) == (apis.id("Api"), STAGE)
    assert context["requestId"] == got.headers["x-amzn-requestid"]
    assert context["identity"]["userArn"] == f"arn:aws:iam::{apis.cloud.account}:root"


def test_a_key_is_named_in_the_event(apis: Apis) -> None:
    event = asked(apis, "/keyed", body={}, **{"x-api-key": apis.key("GoodKey")}).document
    assert event["requestContext"]["identity"]["apiKeyId"] == apis.id("GoodKey")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Missing Authentication Token"),
        (signature("AKIAUNKNOWN"), "The security token included in the request is invalid."),
        (signature("AKIAUNKNOWN", service="s3"), "Credential should be scoped to correct service: 'execute-api'"),
        (signature("AKIAUNKNOWN", region="us-east-1"), "Credential should be scoped to correct service: 'execute-api'"),
    ],
)
def test_a_request_without_a_good_signature_is_403(apis: Apis, headers: dict[str, str], message: str) -> None:
    got = asked(apis, "/signed", "GET", **headers)
    assert got.status == 403
    assert got.document["message"].startswith(message)


def test_a_session_token_must_be_the_keys(apis: Apis) -> None:
    arn = f"arn:aws:iam::{apis.cloud.account}:role/caller"
    apis.cloud.iam.put_role(arn, trusts("lambda"), {"G": policy(allow("execute-api:Invoke", "*"))})
    keys = apis.cloud.callers.session(arn)
    assert asked(apis, "/signed", "GET", **signature(keys.access_key, keys.session_token)).status == 200
    assert asked(apis, "/signed", "GET", **signature(keys.access_key, "another")).status == 403


def test_no_such_api_stage_or_verb(apis: Apis) -> None:
    assert ask(apis.cloud, "0000000000", "/signed").document == {"message": "Forbidden"}
    assert asked(apis, "/signed", "DELETE").document == {"message": "Missing Authentication Token"}


@pytest.mark.parametrize("do", ["raise", "nonsense"])
def test_a_function_that_breaks_is_502(apis: Apis, do: str) -> None:
    got = asked(apis, "/unchecked", body={"do": do})
    assert (got.status, got.document) == (502, {"message": "Internal server error"})


def test_the_functions_status_and_headers_are_handed_on(apis: Apis) -> None:
    got = asked(apis, "/unchecked", body={"do": "plain"})
    assert (got.status, got.body, got.headers["x-own"]) == (201, b"plain", "1")


def test_a_function_that_is_too_slow_is_504_and_goes_on(apis: Apis, tmp_path: Path) -> None:
    """It answers to nobody, but what it does is done: only its own timeout ends it."""
    waits, tells = tmp_path / "waits", tmp_path / "tells"
    os.mkfifo(waits)
    os.mkfifo(tells)
    told = os.open(tells, os.O_RDONLY | os.O_NONBLOCK)
    got = asked(apis, "/hasty", body={"do": "wait", "for": str(waits), "then": str(tells)})
    assert (got.status, got.document) == (504, {"message": "Endpoint request timed out"})
    release = os.open(waits, os.O_RDWR)
    os.write(release, b"go on\n")
    assert select.select([told], [], [], 120)[0]
    assert os.read(told, 100) == b"go on\n"
    os.close(release)
    os.close(told)


def test_headers_that_are_sent_twice_are_told_one_by_one(apis: Apis) -> None:
    connection = http.client.HTTPConnection(apis.cloud.endpoint_url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", f"/restapis/{apis.id('Api')}/{STAGE}/_user_request_/unchecked")
    for name, value in (("X-Kind", "first, one"), ("x-kind", "second"), ("X-Other", "1"), ("Content-Length", "0")):
        connection.putheader(name, value)
    connection.endheaders()
    event = json.loads(connection.getresponse().read())
    connection.close()
    assert (event["multiValueHeaders"]["x-kind"], event["headers"]["x-kind"]) == (["first, one", "second"], "second")
    assert (event["multiValueHeaders"]["x-other"], event["headers"]["x-other"]) == (["1"], "1")


def test_headers_that_the_function_answers_twice_are_sent_twice(apis: Apis) -> None:
    answer = {
        "statusCode": 200,
        "headers": {"X-One": "1", "Set-Cookie": "a=1"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "Content-Type": ["text/plain"]},
        "body": "x",
    }
    got = raw(apis, {"do": "answer", "answer": answer})
    found = [(name, value) for name, value in got if name.lower() in {"x-one", "set-cookie", "content-type"}]
    assert sorted(found) == [
        ("Content-Type", "text/plain"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("X-One", "1"),
    ]


def raw(apis: Apis, body: Any) -> list[tuple[str, str]]:
    """The headers of an answer as they were sent."""
    connection = http.client.HTTPConnection(apis.cloud.endpoint_url.removeprefix("http://"), timeout=60)
    connection.request("POST", f"/restapis/{apis.id('Api')}/{STAGE}/_user_request_/unchecked", json.dumps(body))
    found = connection.getresponse()
    found.read()
    connection.close()
    return found.getheaders()


def test_a_body_that_is_too_large_is_413(apis: Apis) -> None:
    for size in (7_000_000, 11_000_000):  # more than a function takes, more than API Gateway takes
        got = asked(apis, "/unchecked", body=json.dumps({"a": "x" * size}))
        assert (got.status, got.document) == (413, {"message": "Request Too Long"})


def test_a_body_of_another_type_is_not_looked_at(apis: Apis) -> None:
    got = asked(apis, "/checked", body='{"not": "an envelope"}', **{"content-type": "application/x-other"})
    assert got.status == 200


@pytest.mark.parametrize("body", ["", "{", "[" * 50_000, "null"])
def test_what_is_no_envelope_is_the_apis_own_answer(apis: Apis, body: str) -> None:
    got = asked(apis, "/checked", body=body)
    assert (got.status, got.document) == (422, {"said": "Invalid request body"})


def test_without_the_functions_permission_nothing_is_called(apis: Apis) -> None:
    function: Any = apis.cloud.services["lambda"]
    name = apis.id("ApiFunction")
    kept = function._store.policy(name)
    function._store.put_policy(name, None)
    try:
        got = asked(apis, "/unchecked", body={})
        assert (got.status, got.document) == (500, {"message": "Internal server error"})
    finally:
        function._store.put_policy(name, kept)


def test_curl_signs_what_the_local_cloud_takes(apis: Apis) -> None:
    curl = shutil.which("curl")
    assert curl, "curl 7.75 or newer: apt-get install curl"
    keys = apis.cloud.callers.owner
    url = f"{apis.cloud.endpoint_url}/restapis/{apis.id('Api')}/{STAGE}/_user_request_/signed"
    command = [curl, "-sS", url, "--aws-sigv4", "aws:amz:eu-central-1:execute-api"]
    command += ["--user", f"{keys.access_key}:{keys.secret_key}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["path"] == "/signed"
