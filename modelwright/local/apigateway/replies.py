"""What goes back to who asked an API: the function's answer, or a refusal.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway import answers
from modelwright.local.apigateway.event import extended_id
from modelwright.local.calls.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.apigateway.answers import Refused

_KNOWN = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


@dataclass(frozen=True)
class Reply:
    """What goes back, and how long the function took for it."""

    status: int
    headers: Sequence[tuple[str, str]]
    """A name may be there several times."""
    body: bytes
    integration_seconds: float | None = None
    refused: Refused | None = None

    def ended(self, seconds: float) -> dict[str, Any]:
        """Return what is written down of it; `seconds`: how long all took."""
        found: dict[str, Any] = {"status": self.status, "length": len(self.body), "seconds": seconds}
        return found | {"integration_seconds": self.integration_seconds, "refused": self.refused}

    def response(self, request_id: str) -> HttpResponse:
        """Return it as HTTP."""
        ids = {"x-amzn-RequestId": request_id, "x-amz-apigw-id": extended_id(request_id)}
        return HttpResponse(self.status, ids, self.body, self.headers)


def refusal(refused: Refused, responses: Mapping[str, Mapping[str, Any]]) -> Reply:
    """Return the reply to a request that goes no further; `responses`: the API's own words for it."""
    status, body = answers.written(refused, responses)
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", refused.error))
    return Reply(status, headers, body.encode(), refused=refused)


def read_answer(payload: bytes) -> Reply | None:
    """Return what the function answered; None when that is no answer of a proxy integration.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
    """
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(found, dict) or set(found) - _KNOWN or not isinstance(found.get("body", ""), str | None):
        return None
    headers = _headers(found.get("headers"), found.get("multiValueHeaders"))
    try:
        status = int(found.get("statusCode", 200))
    except (TypeError, ValueError):
        return None
    return None if headers is None else Reply(status, headers, (found.get("body") or "").encode("utf-8", "replace"))


def _headers(single: Any, several: Any) -> list[tuple[str, str]] | None:
    """Both in one list; a name and value that are in both are there once. None for what are no headers."""
    if not isinstance(single, dict | None) or not _are_lists(several):
        return None
    found = [(str(name), str(value)) for name, values in (several or {}).items() for value in values]
    found += [pair for name, value in (single or {}).items() if (pair := (str(name), str(value))) not in found]
    named = {name.lower() for name, _ in found}
    return found if "content-type" in named else [*found, ("Content-Type", "application/json")]


def _are_lists(several: Any) -> bool:
    """Whether each name has a list of plain values."""
    if several is None:
        return True
    if not isinstance(several, dict) or not all(isinstance(values, list) for values in several.values()):
        return False
    return not any(isinstance(value, dict | list) for values in several.values() for value in values)
