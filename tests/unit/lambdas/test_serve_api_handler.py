"""The REST API's handler when SageMaker does not answer as it should: a status and a sentence, or the error itself."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from serve_api import handler as serve_api

EVENT = {"httpMethod": "POST", "resource": "/predict", "headers": {}, "body": '{"instances": [{"a": 1}]}'}


class Runtime:
    """Answers once, with bytes or with an error."""

    def __init__(self, answer: bytes | Exception) -> None:
        self._answer = answer

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        assert json.loads(request["Body"]) == {"instances": [{"a": 1}]}
        if isinstance(self._answer, Exception):
            raise self._answer
        return {"Body": io.BytesIO(self._answer)}


class BreaksOff(Runtime):
    """Begins to answer."""

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
        return {"Body": self}

    def read(self) -> bytes:
        assert isinstance(self._answer, Exception)
        raise self._answer


def refused(code: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as said"}, **more}, "InvokeEndpoint")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("PIPELINE", "ARTIFACT_BUCKET", "TABLE_NAME", "ENDPOINT_NAME", "AUTHORIZATION"):
        monkeypatch.setenv(name, "p")
    monkeypatch.setattr(serve_api, "_champion", lambda _: serve_api.Champion("run", "release", ""))
    monkeypatch.setattr(serve_api, "_manifest", lambda *_: {"deploy": {"api": None}})

    def run(answer: bytes | Exception, runtime: type[Runtime] = Runtime) -> tuple[int, Any]:
        monkeypatch.setattr(serve_api, "_runtime", lambda: runtime(answer))
        found = serve_api.handler(dict(EVENT), None)
        return found["statusCode"], json.loads(found["body"])

    return run


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (ReadTimeoutError(endpoint_url="x"), 504, "ModelTimeout"),
        (EndpointConnectionError(endpoint_url="x"), 503, "Busy"),
        (ConnectionClosedError(endpoint_url="x"), 503, "Busy"),
        (refused("ThrottlingException"), 503, "Busy"),
        (refused("ServiceUnavailable"), 503, "Busy"),
        (refused("ModelNotReadyException"), 503, "Busy"),
        (refused("ValidationError"), 503, "NoEndpoint"),
        (refused("ModelError", OriginalStatusCode=400, OriginalMessage="x"), 400, "RefusedByTheModel"),
        (refused("ModelError", OriginalStatusCode=413, OriginalMessage="x"), 413, "RefusedByTheModel"),
        (refused("ModelError", OriginalStatusCode=500, OriginalMessage="x"), 502, "ModelFailed"),
        (refused("ModelError", OriginalStatusCode=0, OriginalMessage="x"), 502, "ModelFailed"),
        (b"no JSON", 502, "ModelFailed"),
        (b"[]", 502, "ModelFailed"),
    ],
)
def test_what_is_answered(ask: Any, answer: bytes | Exception, status: int, error: str) -> None:
    found, document = ask(answer)
    assert (found, document["error"]) == (status, error)
    assert len(document["message"]) > 10 or document["message"] == "x"


@pytest.mark.parametrize(
    ("broken", "status", "error"),
    [
        (ResponseStreamingError(error="reset"), 502, "AnswerBroken"),
        (IncompleteReadError(actual_bytes=3, expected_bytes=9), 502, "AnswerBroken"),
        (ReadTimeoutError(endpoint_url="x"), 504, "ModelTimeout"),
    ],
)
def test_an_answer_that_breaks_off_is_said(
    ask: Any, capsys: pytest.CaptureFixture[str], broken: Exception, status: int, error: str
) -> None:
    found, document = ask(broken, BreaksOff)
    assert (found, document["error"], set(document)) == (status, error, {"error", "message"})
    assert json.loads(capsys.readouterr().out)["status"] == status


def test_a_defect_of_the_deployment_is_an_error_of_the_function(ask: Any) -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ask(refused("AccessDeniedException"))


def test_predictions_are_handed_on(ask: Any) -> None:
    assert ask(b"[7]") == (200, {"predictions": [7]})


def test_what_aws_said_of_the_endpoint_is_in_the_log_alone(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found, document = ask(refused("ValidationError"))
    assert (found, "as said" in json.dumps(document)) == (503, False)
    assert json.loads(capsys.readouterr().out)["detail"] == "ValidationError: as said"
