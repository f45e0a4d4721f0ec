"""From a result or an error to an HTTP answer in the protocol of the request, with moto's serializers."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

from moto.core.serialize import SerializationContext, get_serializer_class

from modelwright.local.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.protocol import Parsed
    from modelwright.local.service import AwsError

# moto warns for each error code that a service's model does not list; AWS answers such codes every day (AccessDenied).
warnings.filterwarnings("ignore", message=r"Exception\(.*\) with code .* does not match an error shape")


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
    serializer = _serializer(parsed, request_id)
    return _response(serializer.serialize(result), request_id)


def error_response(parsed: Parsed | None, error: AwsError, request_id: str) -> HttpResponse:
    """Write an error; one of a request that was not even understood is JSON, which every SDK can show."""
    if parsed is None:
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
        return HttpResponse(error.status, {**headers, "x-amzn-RequestId": request_id}, body)
    written = _serializer(parsed, request_id).serialize(_WireError(error))
    if error.status != 400 or written["status_code"] < 400:
        written["status_code"] = error.status
    return _response(written, request_id)


def _serializer(parsed: Parsed, request_id: str) -> Any:
    serializer = get_serializer_class(parsed.service, parsed.protocol)
    return serializer(parsed.model, context=SerializationContext(request_id))


def _response(written: Mapping[str, Any], request_id: str) -> HttpResponse:
    body = written["body"]
    headers = {"x-amzn-RequestId": request_id, **{name: str(value) for name, value in written["headers"].items()}}
    return HttpResponse(written["status_code"], headers, body.encode("utf-8") if isinstance(body, str) else body)
