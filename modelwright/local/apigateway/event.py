"""The event of a Lambda proxy integration, as API Gateway makes it of a request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from modelwright.local.apigateway.records import Route
    from modelwright.local.calls.http import HttpRequest
    from modelwright.local.service import Caller


@dataclass(frozen=True)
class Place:
    """Where a request arrived."""

    account: str
    api: str
    stage: str
    deployment: str
    path: str
    """The whole path of the address, which on AWS has the stage before the resource."""


@dataclass(frozen=True)
class Who:
    """Who asks: a signature's caller, a key, or neither."""

    caller: Caller | None = None
    access_key: str | None = None
    key_id: str | None = None
    key_value: str | None = None


def proxy_event(http: HttpRequest, route: Route, place: Place, who: Who, request_id: str, now: float) -> dict[str, Any]:  # noqa: PLR0913, PLR0917 - what a request is made of
    """Return the event."""
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(http.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    headers = _headers(http, request_id, now)
    several = {name: list(http.repeated.get(name, (value,))) for name, value in headers.items()}
    return {
        "resource": route.path,
        "path": route.path,
        "httpMethod": http.method,
        "headers": {name: values[-1] for name, values in several.items()},
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _context(http, route, place, who, request_id, now),
        "body": http.body.decode("utf-8", "replace") if http.body else None,
        "isBase64Encoded": False,
    }


def _headers(http: HttpRequest, request_id: str, now: float) -> dict[str, str]:
    """The client's, in the case in which HTTP/2 sends them, and API Gateway's own."""
    kept = {name: value for name, value in http.headers.items() if name not in {"connection", "content-length"}}
    trace = f"Root=1-{int(now):08x}-{request_id.replace('-', '')[:24]}"
    added = {"X-Amzn-Trace-Id": trace, "X-Forwarded-For": "127.0.0.1"}
    port = http.headers.get("host", "").partition(":")[2] or "80"
    return kept | added | {"X-Forwarded-Port": port, "X-Forwarded-Proto": "http"}


def _context(  # noqa: PLR0913, PLR0917 - as above
    http: HttpRequest, route: Route, place: Place, who: Who, request_id: str, now: float
) -> dict[str, Any]:
    domain = http.headers.get("host", "127.0.0.1")
    return {
        "resourceId": route.resource_id,
        "resourcePath": route.path,
        "httpMethod": http.method,
        "extendedRequestId": extended_id(request_id),
        "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "path": place.path,
        "accountId": place.account,
        "protocol": "HTTP/1.1",
        "stage": place.stage,
        "domainPrefix": domain.partition(".")[0],
        "requestTimeEpoch": int(now * 1000),
        "requestId": request_id,
        "identity": _identity(http, place, who),
        "domainName": domain,
        "deploymentId": place.deployment,
        "apiId": place.api,
    }


_NOBODY = (
    *("cognitoIdentityPoolId", "cognitoIdentityId", "principalOrgId", "cognitoAuthenticationType"),
    *("cognitoAuthenticationProvider", "accountId", "caller", "accessKey", "userArn", "user"),
)


def _identity(http: HttpRequest, place: Place, who: Who) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(_NOBODY)
    found |= {"sourceIp": "127.0.0.1", "userAgent": http.headers.get("user-agent")}
    if who.caller:
        found |= {"accountId": place.account, "caller": who.caller.arn, "user": who.caller.arn}
        found |= {"accessKey": who.access_key, "userArn": who.caller.arn}
    if who.key_id:
        found |= {"apiKey": who.key_value, "apiKeyId": who.key_id}
    return found


def extended_id(request_id: str) -> str:
    """Return the second id of a request, of its form."""
    return f"{request_id.replace('-', '')[:15]}="
