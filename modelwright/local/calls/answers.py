"""From a result or an error to an HTTP answer in the protocol of the request, with moto's serializers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.core import errors
from moto.core.serialize import SerializationContext, get_serializer_class

from modelwright.local.calls.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.calls.http import HttpRequest
    from modelwright.local.calls.protocol import Parsed
    from modelwright.local.service import AwsError

# moto warns of each error code that a service's model does not list; AWS answers such codes every day (AccessDenied).
errors.warn = lambda *_, **__: None


class _WireError(Exception):
    """An AwsError with its members as attributes, where moto's serializers look for them."""

    def __init__(self, error: AwsError) -> None:
        super().__init__(error.message)
        self.__dict__.update(error.extra)
        self.code = error.code
        self.message = error.message
        self.Message = error.message


def result_response(parsed: Parsed, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    """Write a result in the output shape of the operation."""
    written = _serializer(parsed, request_id).serialize(result)
    written["headers"].update(_content_type(parsed, result))
    written["status_code"] = _status(parsed, result) or written["status_code"]
    return _response(written, request_id)


def error_response(parsed: Parsed, error: AwsError, request_id: str) -> HttpResponse:
    """Write an error."""
    written = _serializer(parsed, request_id).serialize(_WireError(error))
    if error.status != 400 or written["status_code"] < 400:
        written["status_code"] = error.status
    return _response(written, request_id)


def unparsed_response(http: HttpRequest, error: AwsError, request_id: str) -> HttpResponse:
    """Write an error of a request that was not understood: XML where XML was likely asked for, else JSON."""
    headers = {"x-amzn-RequestId": request_id}
    form = http.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form or "/s3/aws4_request" in http.headers.get("authorization", ""):
        one = f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        body = f"<ErrorResponse>{one}<Errors>{one}</Errors></ErrorResponse>" if form else one
        return HttpResponse(error.status, {**headers, "Content-Type": "text/xml"}, body.encode())
    members = {"__type": error.code, "message": error.message, "Message": error.message}
    headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
    return HttpResponse(error.status, headers, json.dumps(members).encode())


def _content_type(parsed: Parsed, result: Mapping[str, Any]) -> dict[str, str]:
    """The content type that the result itself states (moto's serializers write the protocol's over it)."""
    shape = parsed.model.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("name", "").lower() == "content-type" and result.get(name) is not None:
            return {"Content-Type": str(result[name])}
    return {}


def _status(parsed: Parsed, result: Mapping[str, Any]) -> int | None:
    """The HTTP status that is a member of the result (Lambda's Invoke: 200, 202, 204); moto leaves it out."""
    shape = parsed.model.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "statusCode" and result.get(name) is not None:
            return int(result[name])
    return None


def _serializer(parsed: Parsed, request_id: str) -> Any:
    serializer = get_serializer_class(parsed.service, parsed.protocol)
    return serializer(parsed.model, context=SerializationContext(request_id))


def _response(written: Mapping[str, Any], request_id: str) -> HttpResponse:
    body = written["body"]
    headers = {"x-amzn-RequestId": request_id, **{name: str(value) for name, value in written["headers"].items()}}
    return HttpResponse(written["status_code"], headers, body.encode("utf-8") if isinstance(body, str) else body)
