"""From an HTTP request to (service, operation, parameters), with botocore's own models and moto's parsers.

Which service is asked is read from the signature's scope (`…/<region>/<service>/aws4_request`,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html); signatures themselves are not
verified: the endpoint listens on loopback only, and access keys are random and handed out over a private socket.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_to_bytes

from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from modelwright.local.calls.http import HttpRequest
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from datetime import datetime

    from moto.core.model import OperationModel

    from modelwright.local.store.file_bytes import FileBytes


_SCOPE = re.compile(r"Credential=([^/,\s]+)/[^/,\s]+/([^/,\s]+)/([^/,\s]+)/aws4_request")

_UNSIGNED = "AssumeRoleWithWebIdentity"
"""The one operation that is asked for without keys: a token says who calls.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""
_SIGNING_NAMES = {
    "apigateway": "apigateway",
    "application-autoscaling": "application-autoscaling",
    "cloudformation": "cloudformation",
    "codebuild": "codebuild",
    "codecommit": "codecommit",
    "ecr": "ecr",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "states": "stepfunctions",
    "sts": "sts",
    "tagging": "resourcegroupstaggingapi",
    "xray": "xray",
}
"""signing name -> botocore's service; those that share a signing name are told apart in `_service`"""


class ServerRequest(Request):  # type: ignore[misc]  # moto carries no types
    """moto's request class, as its own server has it: the answer's Date is the server's business."""

    from_wsgi_server = True


class _InFile(io.RawIOBase):
    """A body that is not in memory, as the stream that it is read from, whole."""

    def __init__(self, content: FileBytes) -> None:
        super().__init__()
        self._content = content

    def read(self, _size: int | None = -1) -> bytes:
        return self._content


@dataclass(frozen=True)
class Parsed:
    """One request, understood. `model` and `protocol` say how the answer is written."""

    http: HttpRequest
    service: str
    region: str
    """Empty where nothing is signed: the region is the one that was asked."""
    access_key: str
    """Empty where nothing is signed."""
    protocol: str
    model: OperationModel
    params: dict[str, Any]

    @property
    def operation(self) -> str:
        """Botocore's name of the operation."""
        return str(self.model.name)

    @cached_property
    def request(self) -> Request:
        """The same request as moto wants it."""
        return wsgi_request(self.http)


def parse(http: HttpRequest) -> Parsed:
    """Understand a request; AwsError when it is not signed, or names no operation that botocore knows."""
    access_key, region, signing_name = _scope(http)
    service = _service(signing_name, http)
    model = get_service_model(service)
    protocol = _protocol(model, http)
    form: dict[str, str] = {}
    path_params: dict[str, Any] = {}
    request: Request | None = None
    if protocol == "json":
        operation = _operation_model(service, http.headers.get("x-amz-target", "").rpartition(".")[2])
    elif protocol == "query":
        form = dict(parse_qsl(http.query + "&" + http.body.decode("utf-8"), keep_blank_values=True))
        operation = _operation_model(service, form.get("Action", ""))
    else:
        request = wsgi_request(http)
        operation, path_params = _routed(service, http, request)
    parsed = Parsed(http, service, region, access_key, protocol, operation, {})
    if request is not None:
        parsed.__dict__["request"] = request
    return _with_params(parsed, form, path_params)


def parsed_as(service: str, operation: str) -> Parsed:
    """What a request in JSON of this operation would be parsed as, but for what it says: for its answer."""
    nothing = HttpRequest("POST", "/", {})
    return Parsed(nothing, service, "", "", "json", _operation_model(service, operation), {})


def wsgi_request(http: HttpRequest) -> Request:
    """The request as moto's handlers take it."""
    host, _, port = http.headers.get("host", "127.0.0.1").partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": http.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(http.path).decode("latin-1"),
        "QUERY_STRING": http.query,
        "RAW_URI": http.target,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(http.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(http.body),
        "wsgi.multithread": True,
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
    }
    for name, value in http.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key != "CONTENT_LENGTH":
            environ[f"HTTP_{key}"] = value
            if "_" in name:
                environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY][f"HTTP_{key}"] = name
    if http.upload is not None and http.upload.content is not None:
        environ |= {"wsgi.input": _InFile(http.upload.content), "wsgi.input_terminated": True}
    return ServerRequest(environ)


def known_services() -> list[str]:
    """Botocore's names of the services that can be asked."""
    return sorted({*_SIGNING_NAMES.values(), "dynamodb", "dynamodbstreams", "sagemaker", "sagemaker-runtime"})


def _scope(http: HttpRequest) -> tuple[str, str, str]:
    """Access key, region and signing name."""
    found = _SCOPE.search(http.headers.get("authorization", ""))
    if found is None and dict(parse_qsl(http.body.decode("latin-1"))).get("Action") == _UNSIGNED:
        return "", "", "sts"
    if found is None:
        raise AwsError(
            "MissingAuthenticationToken",
            f"{http.method} {http.path} is not signed with AWS4-HMAC-SHA256 in its Authorization header "
            "(the local cloud takes no presigned or anonymous requests)",
            403,
        )
    return found[1], found[2], found[3].lower()


def _service(signing_name: str, http: HttpRequest) -> str:
    target = http.headers.get("x-amz-target", "")
    if signing_name == "dynamodb":
        return "dynamodbstreams" if target.startswith("DynamoDBStreams") else "dynamodb"
    if signing_name == "sagemaker":
        return "sagemaker" if target else "sagemaker-runtime"
    service = _SIGNING_NAMES.get(signing_name)
    if service is None:
        raise AwsError(
            "UnknownService",
            f"the local cloud has no AWS service with the signing name {signing_name!r}; "
            f"it has {', '.join(known_services())}",
            501,
        )
    return service


def _protocol(model: Any, http: HttpRequest) -> str:
    """The protocol in which this request is written (a service may take several)."""
    if model.protocol.startswith("rest-"):
        return str(model.protocol)
    try:
        return str(determine_request_protocol(model, http.headers.get("content-type", "").partition(";")[0]))
    except NotImplementedError as error:
        raise AwsError("UnsupportedProtocol", str(error), 415) from error


@cache
def _operation_model(service: str, operation: str) -> OperationModel:
    model = get_service_model(service)
    if operation not in model.operation_names:
        raise AwsError("UnknownOperationException", f"{service} has no operation {operation!r}", 404)
    return model.operation_model(operation)


def _routed(service: str, http: HttpRequest, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    try:
        operation, params = get_service_router(service).match(request)
    except HTTPException as error:
        raise AwsError(
            "UnknownOperationException", f"{service} has no operation for {http.method} {http.path}", 404
        ) from error
    return operation, params


def _with_params(parsed: Parsed, form: dict[str, str], path_params: dict[str, Any]) -> Parsed:
    parser = PROTOCOL_PARSERS[parsed.protocol](parsed.model, timestamp_parser=_aware)
    http = parsed.http
    rest = parsed.protocol.startswith("rest-")
    try:
        params = parser.parse(
            {
                "method": http.method,
                "values": parsed.request.args if rest else form,
                "headers": parsed.request.headers if rest else {},
                "body": http.body,
                "url_path": http.path,
                "url_params": path_params,
            }
        )
    except Exception as error:  # whatever the parsers raise: the request does not have the shape of its model
        raise AwsError("SerializationException", f"{parsed.service}:{parsed.operation}: {error}") from error
    understood = replace(parsed, params=params)
    if rest:
        understood.__dict__["request"] = parsed.request
    return understood


def _aware(value: Any) -> datetime:
    """Times reach services as aware datetimes; moto's own default is naive."""
    return parse_timestamp(value)  # type: ignore[no-any-return]  # botocore carries no types
