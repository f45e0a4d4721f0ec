"""Ask a deployed model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import PredictionFailed

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

ARCHIVE = ".tar.gz"


@dataclass(frozen=True)
class Question:
    """What a model is asked."""

    body: bytes
    content_type: str
    accept: str
    model: str | None = None
    """which one, where there are several behind the endpoint: the name of its folder or archive"""


def ask(session: Session, deployment: Deployment, question: Question) -> bytes:
    """The model's answer to one request.

    Raises:
        PredictionFailed: there is no endpoint that serves, or the model answered with an error.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    request = {
        "EndpointName": deployment.endpoint_name,
        "Body": question.body,
        "ContentType": question.content_type,
        "Accept": question.accept,
    }
    if question.model is not None:
        request["TargetModel"] = f"{question.model.removesuffix(ARCHIVE)}{ARCHIVE}"
    try:
        return bytes(session.client("sagemaker-runtime").invoke_endpoint(**request)["Body"].read())
    except ClientError as error:
        raise explained(error, deployment, session.options) from None


def describe(session: Session, deployment: Deployment) -> str:
    """The endpoint's status in SageMaker's own words; an empty text when there is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    from modelwright.client.problems import is_missing  # noqa: PLC0415 # as above

    try:
        answer = session.client("sagemaker").describe_endpoint(EndpointName=deployment.endpoint_name)
    except ClientError as error:
        if is_missing(error):
            return ""
        raise
    return str(answer["EndpointStatus"])


def explained(error: Any, deployment: Deployment, options: str) -> Exception:
    """What an endpoint's refusal means to its caller; the error itself where nothing is known of it."""
    return _explain(error, deployment, options) or error


def _explain(error: Any, deployment: Deployment, options: str) -> PredictionFailed | None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors."""
    found = error.response.get("Error", {})
    if found.get("Code") == "ModelError":
        status = error.response.get("OriginalStatusCode", 500)
        hint = "The request does not suit the model." if status < 500 else None
        return PredictionFailed(f"The model answered {status}: {_message(error.response)}", hint)
    if "missing a target model" in str(found.get("Message")):
        return PredictionFailed(str(found["Message"]), "Several models are behind this endpoint: --model NAME.")
    if "not a multi-model endpoint" in str(found.get("Message")):
        return PredictionFailed(str(found["Message"]), "One model is behind this endpoint: leave --model out.")
    if "Failed to download model data" in str(found.get("Message")):
        hint = "Each folder that training wrote into its model directory is a model: name one of them with --model."
        return PredictionFailed(str(found["Message"]), hint)
    if found.get("Code") in {"ValidationError", "ValidationException"}:
        return PredictionFailed(
            str(found.get("Message")),
            f"`modelwright run {deployment.pipeline}{options}` deploys a model; "
            f"`modelwright runs{options}` tells how runs ended.",
        )
    return None


def _message(response: dict[str, Any]) -> str:
    """The model's own sentence: our server answers `{"error": …}` or `{"message": …}`, others what they like."""
    text = str(response.get("OriginalMessage") or response["Error"].get("Message", ""))
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return str(found.get("message") or found.get("error") or text)
