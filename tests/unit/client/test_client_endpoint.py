"""Asking a deployed model, and what is said when it does not answer."""

from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fake_aws import PENGUINS, FakeSession, refused

from modelwright.client.endpoints.prediction import Question, ask, describe
from modelwright.errors import PredictionFailed


class Runtime:
    def __init__(self, error: ClientError | None = None) -> None:
        self.error, self.requests = error, []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.error:
            raise self.error
        return {"Body": io.BytesIO(b'{"predictions": [1]}')}


def asked(error: ClientError | None = None, model: str | None = None) -> tuple[bytes, Runtime]:
    runtime = Runtime(error)
    session = FakeSession(sagemaker_runtime=runtime)
    return ask(session, PENGUINS, Question(b"1,2\n", "text/csv", "application/json", model)), runtime


def test_the_request_goes_as_it_is() -> None:
    answer, runtime = asked()
    assert answer == b'{"predictions": [1]}'
    assert runtime.requests == [
        {
            "EndpointName": "mw-dev-penguins",
            "Body": b"1,2\n",
            "ContentType": "text/csv",
            "Accept": "application/json",
        }
    ]


@pytest.mark.parametrize("name", ["adelie", "adelie.tar.gz"])
def test_one_of_several_models_is_asked_by_its_name(name: str) -> None:
    _, runtime = asked(model=name)
    assert runtime.requests[0]["TargetModel"] == "adelie.tar.gz"


def test_several_models_want_a_name() -> None:
    with pytest.raises(PredictionFailed) as found:
        asked(refused("ValidationError", "Request 1 is missing a target model header."))
    assert str(found.value).endswith("\nSeveral models are behind this endpoint: --model NAME.")


@pytest.mark.parametrize(
    ("status", "original", "text"),
    [
        (400, '{"error": "no column species"}', "no column species\nThe request does not suit the model."),
        (415, '{"message": "text/plain"}', "text/plain\nThe request does not suit the model."),
        (500, "Internal Server Error", "Internal Server Error"),
        (500, "[1]", "[1]"),
    ],
)
def test_the_models_own_sentence(status: int, original: str, text: str) -> None:
    error = refused("ModelError", "long", OriginalStatusCode=status, OriginalMessage=original)
    with pytest.raises(PredictionFailed) as found:
        asked(error)
    assert str(found.value) == f"The model answered {status}: {text}"


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("Endpoint e is not a multi-model endpoint and does not support target model header.", "leave --model out."),
        ("Failed to download model data(bucket: b, key: x.tar.gz).", "name one of them with --model."),
    ],
)
def test_a_name_that_no_model_has_says_so(message: str, hint: str) -> None:
    with pytest.raises(PredictionFailed) as found:
        asked(refused("ValidationError", message), model="x")
    assert str(found.value).startswith(message)
    assert str(found.value).endswith(hint)


def test_no_endpoint_says_what_makes_one() -> None:
    with pytest.raises(PredictionFailed) as found:
        asked(refused("ValidationError", "Endpoint mw-dev-penguins of account 123456789012 not found."))
    assert str(found.value) == (
        "Endpoint mw-dev-penguins of account 123456789012 not found.\n"
        "`modelwright run penguins` deploys a model; `modelwright runs` tells how runs ended."
    )


def test_another_error_is_left_as_it_is() -> None:
    with pytest.raises(ClientError, match="Throttling"):
        asked(refused("ThrottlingException", "Rate exceeded"))


def test_status_and_its_absence() -> None:
    class SageMaker:
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def describe_endpoint(self, **_: Any) -> dict[str, Any]:
            if isinstance(self.answer, ClientError):
                raise self.answer
            return {"EndpointStatus": self.answer}

    assert describe(FakeSession(sagemaker=SageMaker("InService")), PENGUINS) == "InService"
    missing = refused("ValidationException", 'Could not find endpoint "x".')
    assert describe(FakeSession(sagemaker=SageMaker(missing)), PENGUINS) == ""
    with pytest.raises(ClientError, match="AccessDenied"):
        describe(FakeSession(sagemaker=SageMaker(refused("AccessDeniedException", "no"))), PENGUINS)
