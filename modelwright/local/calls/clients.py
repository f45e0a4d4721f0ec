"""boto3 clients inside the local cloud's own process: through the gateway like any call, without a socket.

Services of ours that speak JSON are asked without the text, too: their policies, their checks and botocore's are the
same (`shortcut.py`).
"""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from modelwright.local.calls import models, shortcut
from modelwright.local.calls.gateway import Asked
from modelwright.local.calls.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.client import BaseClient
    from botocore.model import OperationModel

    from modelwright.local.calls.http import Answer
    from modelwright.local.service import Credentials

Ask = Callable[[Asked], "dict[str, Any] | HttpResponse | None"]
"""`Gateway.ask`"""

_ATTEMPTS = {"MaxAttemptsReached": True, "RetryAttempts": 0}
"""what botocore says of a call that may be tried once"""
_ANSWERED = "x-modelwright-answered"
"""The header that says which refusal is this request's answer: it never leaves this process."""

_CONFIG = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},  # nothing here gets better by asking again
    parameter_validation=True,
    signature_version=UNSIGNED,  # see `_authorization`
    user_agent="modelwright",  # botocore's own is put together anew for each request
    s3={"addressing_style": "path"},
    disable_request_compression=True,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class Clients:
    """Makes clients and keeps them: one a service and pair of keys."""

    def __init__(self, answer: Answer, endpoint_url: str, region: str, ask: Ask | None = None) -> None:
        """`answer` answers requests; `ask`, where there is one, what can be asked without writing one."""
        self._answer = answer
        self._ask = ask
        self._refused: dict[str, HttpResponse] = {}
        self._endpoint_url = endpoint_url
        self._region = region
        core = botocore.session.Session()
        core.register_component("data_loader", models.loader())
        self._session = boto3.Session(
            "unused", "unused", botocore_session=core, region_name=region
        )  # each client is given keys
        self._clients: dict[tuple[str, Credentials], BaseClient] = {}
        self._lock = threading.Lock()

    def client(self, service: str, credentials: Credentials) -> BaseClient:
        """Return the client of a service that signs with these keys."""
        with self._lock:
            key = (service, credentials)
            if key not in self._clients:
                self._clients[key] = self._make(service, credentials)
            return self._clients[key]

    def _make(self, service: str, credentials: Credentials) -> BaseClient:
        client = self._session.client(service, endpoint_url=self._endpoint_url, config=_CONFIG)
        signed = _authorization(client.meta.service_model.signing_name, self._region, credentials)
        client.meta.events.register("before-send", partial(self._send, signed))
        if self._ask is not None and client.meta.service_model.resolved_protocol == "json":
            asked = partial(self._call, self._ask, service, credentials)
            client.meta.events.register_last("before-call", asked)
        return client

    def _call(
        self, ask: Ask, service: str, keys: Credentials, model: OperationModel, params: dict[str, Any], **_: Any
    ) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Answer in place of the request; None lets it be sent. A refusal is what is received then."""
        if not shortcut.can_read(model):
            return None
        request_id = str(uuid.uuid4())
        found = ask(Asked(service, model.name, shortcut.read(params["body"]), keys, request_id))
        if isinstance(found, HttpResponse):
            self._refused[request_id] = found
            params["headers"][_ANSWERED] = request_id
        if found is None or isinstance(found, HttpResponse):
            return None
        headers = {"x-amzn-requestid": request_id, "content-type": f"application/x-amz-json-{_version(model)}"}
        told = {"RequestId": request_id, "HTTPStatusCode": 200, "HTTPHeaders": headers, **_ATTEMPTS}
        parsed = {**shortcut.copy(model, found), "ResponseMetadata": told}
        return AWSResponse(params["url"], 200, headers, _Raw(b"")), parsed

    def _send(self, signed: dict[str, str], request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        plain = _plain(request, signed)
        response = self._refused.pop(plain.headers.get(_ANSWERED, ""), None) or self._answer(plain)
        body = b"" if request.method == "HEAD" else _content(response)
        return AWSResponse(request.url, response.status, dict(response.headers), _Raw(body))


class _Raw(io.BytesIO):
    """What botocore expects below a response."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        while block := self.read(1 << 20):
            yield block


def _version(model: OperationModel) -> str:
    return str(model.service_model.metadata.get("jsonVersion", "1.0"))


def _authorization(service: str, region: str, credentials: Credentials) -> dict[str, str]:
    """The headers that say whose call it is. The gateway looks at keys and token only: nothing is computed for it."""
    scope = f"{credentials.access_key}/19700101/{region}/{service}/aws4_request"
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=in-process"}
    return signed | ({"x-amz-security-token": credentials.session_token} if credentials.session_token else {})


def _plain(request: AWSPreparedRequest, signed: dict[str, str]) -> HttpRequest:
    url = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()} | signed
    headers.setdefault("host", url.netloc)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return HttpRequest(request.method, target, headers, _body(request.body))


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    return bytes(body) if isinstance(body, (bytes, bytearray)) else bytes(body.read())


def _content(response: HttpResponse) -> bytes:
    return response.body if response.file is None else response.file.read()


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
