"""What API Gateway answers by itself, in AWS's words, or in those of the API's own gateway responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")


@dataclass(eq=False)
class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """A request that goes no further, with the type of the answer."""

    type: str
    status: int
    message: str
    error: str
    """What the header x-amzn-ErrorType says."""
    key: str = "message"
    """AWS writes refusals of a policy with a capital letter."""


def missing_token() -> Refused:
    """No such route, or nothing is signed: AWS does not tell the two apart."""
    return Refused(
        "MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException"
    )


def unknown_api() -> Refused:
    """No such API or stage."""
    return Refused("ACCESS_DENIED", 403, "Forbidden", "ForbiddenException")


def bad_token(message: str, error: str = "UnrecognizedClientException") -> Refused:
    """A signature of nobody, or for another service."""
    return Refused("INVALID_SIGNATURE", 403, message, error)


def denied(message: str) -> Refused:
    """A policy does not allow it."""
    return Refused("ACCESS_DENIED", 403, message, "AccessDeniedException", "Message")


def bad_key() -> Refused:
    """No key, or none of a plan of this stage."""
    return Refused("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")


def throttled() -> Refused:
    """More requests than the rate and the burst allow."""
    return Refused("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")


def used_up() -> Refused:
    """The quota of the plan is used up."""
    return Refused("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")


def too_large() -> Refused:
    """More than API Gateway takes, or hands on to a function."""
    return Refused("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException")


def bad_body() -> Refused:
    """Not what the model describes."""
    return Refused("BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException")


def failed(status: int = 502) -> Refused:
    """The function broke, may not be called, or answered nothing that is an answer."""
    kind = "API_CONFIGURATION_ERROR" if status == 500 else "INTEGRATION_FAILURE"
    return Refused(kind, status, "Internal server error", "InternalServerErrorException")


def timed_out() -> Refused:
    """The function took longer than the integration waits."""
    return Refused("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException")


def written(refused: Refused, responses: Mapping[str, Mapping[str, Any]]) -> tuple[int, str]:
    """Return status and body: the API's own gateway response of that type, or AWS's."""
    family = "DEFAULT_5XX" if refused.status >= 500 else "DEFAULT_4XX"
    own = responses.get(refused.type) or responses.get(family)
    if own is None:
        return refused.status, json.dumps({refused.key: refused.message})
    values = {
        "error.message": refused.message,
        "error.messageString": json.dumps(refused.message),
        "error.responseType": refused.type,
    }
    template = (own.get("ResponseTemplates") or {}).get("application/json", '{"message":$context.error.messageString}')
    return int(own.get("StatusCode", refused.status)), substituted(template, values)


def substituted(template: str, values: Mapping[str, Any]) -> str:
    """Return a template with what `$context` holds; what it does not hold is a dash, as in AWS's logs."""

    def value(found: re.Match[str]) -> str:
        name = found[1].rstrip(".")
        return str(values.get(name, "-")) + found[1][len(name) :]

    return _VARIABLE.sub(value, template)
