"""Ask a deployed model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from .deployment import Deployment
    from .session import Session


class PredictionError(ModelwrightError):
    """The endpoint is not there, or the model refused the request."""


def ask(session: Session, deployment: Deployment, body: bytes, content_type: str, accept: str) -> bytes:
    """The model's answer to one request.

    Raises:
        PredictionError: there is no endpoint that serves, or the model answered with an error.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see session.py

    request = {"EndpointName": deployment.endpoint_name, "Body": body, "ContentType": content_type, "Accept": accept}
    try:
        return bytes(session.client("sagemaker-runtime").invoke_endpoint(**request)["Body"].read())
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ModelError":
            raise PredictionError(
                f"the model answered {error.response.get('OriginalStatusCode')}: {_message(error.response)}"
            ) from None
        if code in {"ValidationError", "ValidationException"}:
            message = error.response["Error"]["Message"]
            raise PredictionError(
                message,
                hint=f"`modelwright run {deployment.pipeline}` deploys a model; `modelwright runs` tells how earlier runs ended.",
            ) from None
        raise


def _message(response: dict[str, Any]) -> str:
    text = str(response.get("OriginalMessage") or response["Error"]["Message"])
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return str(found.get("message") or found.get("error") or text) if isinstance(found, dict) else text
