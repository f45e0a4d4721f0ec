"""Every call's path: parse, find the caller, authorize, hand to our service or to moto, write down, answer."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError
from modelwright.local.calls import answers
from modelwright.local.calls.callers import ANYONE
from modelwright.local.calls.motos import MOTO_SERVICES, MotoServices
from modelwright.local.calls.protocol import parse, parsed_as
from modelwright.local.service import AwsError, Call

if TYPE_CHECKING:
    from modelwright.local.calls.http import HttpRequest, HttpResponse
    from modelwright.local.calls.protocol import Parsed
    from modelwright.local.cloud import Cloud
    from modelwright.local.persistence.hooks import Hooks
    from modelwright.local.service import Caller, Credentials, Service

log = logging.getLogger(__name__)

_OF_AN_API = "/_user_request_"
"""In the path of a request to a REST API of a template; AWS's own API has no such path."""
_READ_OBJECTS = frozenset(
    {"CopyObject", "GetObject", "GetObjectAttributes", "GetObjectTagging", "HeadObject", "UploadPartCopy"}
)
"""of S3: an object that is not there is AccessDenied to a role that may not list the bucket"""


@dataclass(frozen=True)
class Asked:
    """A call of a client of this process; the protocol of its service is JSON."""

    service: str
    operation: str
    params: dict[str, Any]
    keys: Credentials
    request_id: str


class Gateway:
    """What answers requests, whether they came over the socket or from a client in this process."""

    def __init__(self, cloud: Cloud, motos: MotoServices, hooks: Hooks) -> None:
        self._cloud = cloud
        self._motos = motos
        self._hooks = hooks

    def answer(self, http: HttpRequest) -> HttpResponse:
        """Answer a request; never raises."""
        if http.path.startswith("/restapis/") and _OF_AN_API in http.path:
            return self._cloud.services["apigateway"].serve(http)  # type: ignore[attr-defined, no-any-return] # its own method
        request_id = str(uuid.uuid4())
        parsed: Parsed | None = None
        try:
            parsed = parse(http)
            return self._answer(parsed, request_id)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is answered
            return _refusal(http, parsed, _told(error, _name(parsed), request_id), request_id)

    def ask(self, asked: Asked) -> dict[str, Any] | HttpResponse | None:
        """Ask a service of ours as a client of this process, like any call but for its text: the service's own result.

        An HTTP answer is a refusal; None is no answer: the request has to be sent. Never raises.
        """
        service = self._cloud.services.get(asked.service)
        if service is None or asked.operation not in service.operations:
            return None
        try:
            caller = self._cloud.callers.find(asked.keys.access_key, asked.keys.session_token)
            return self._of_ours(
                service, Call(asked.service, asked.operation, asked.params, caller, self._cloud.region)
            )
        except Exception as error:  # noqa: BLE001  # as above
            told = _told(error, f"{asked.service}:{asked.operation}", asked.request_id)
            return answers.error_response(parsed_as(asked.service, asked.operation), told, asked.request_id)

    def _answer(self, parsed: Parsed, request_id: str) -> HttpResponse:
        caller = self._caller(parsed)
        call = Call(parsed.service, parsed.operation, parsed.params, caller, parsed.region or self._cloud.region)
        if call.region != self._cloud.region:
            raise _wrong_region(call, self._cloud.region)
        service = self._cloud.services.get(call.service)
        if service is not None and call.operation in service.operations:
            return answers.result_response(parsed, self._of_ours(service, call), request_id)
        self._authorize(call)
        if service is not None and not service.falls_through:
            raise _not_there(call, f"it has {', '.join(sorted(service.operations))}")
        if call.service not in MOTO_SERVICES:
            raise _not_there(call, f"it has {', '.join(sorted({*self._cloud.services, *MOTO_SERVICES}))}")
        return self._from_moto(parsed, call)

    def _of_ours(self, service: Service, call: Call) -> dict[str, Any]:
        self._authorize(call)
        return service.handle(call)

    def _authorize(self, call: Call) -> None:
        if call.caller.kind == "role":
            self._cloud.iam.check(call)

    def _caller(self, parsed: Parsed) -> Caller:
        if not parsed.access_key:
            return ANYONE
        return self._cloud.callers.find(parsed.access_key, parsed.http.headers.get("x-amz-security-token", ""))

    def _from_moto(self, parsed: Parsed, call: Call) -> HttpResponse:
        upload = parsed.http.upload
        if upload is not None:
            if upload.problem is not None:
                raise upload.problem
            if call.operation == "PutObject":
                upload.sync()  # before others have to wait for it
        self._hooks.refuse_what_is_not_kept(call)
        with self._motos.turn(call.service):
            response = self._motos.answer(call.service, parsed.request)
            if response.status < 300:
                self._hooks.after(call)
        self._hooks.finished(call)
        if response.status == HTTPStatus.NOT_FOUND and call.service == "s3" and call.operation in _READ_OBJECTS:
            self._cloud.iam.hide_missing(call)
        return response


def _refusal(http: HttpRequest, parsed: Parsed | None, error: AwsError, request_id: str) -> HttpResponse:
    if parsed is None:
        return answers.unparsed_response(http, error, request_id)
    return answers.error_response(parsed, error, request_id)


def _told(error: Exception, what: str, request_id: str) -> AwsError:
    """What the caller is told; what is no refusal is in the log, too."""
    if isinstance(error, AwsError):
        return error
    if isinstance(error, ModelwrightError):  # a clear sentence of ours: no space left, a damaged state
        log.error("%s: %s", what, error)
        return AwsError("InternalFailure", str(error), 500)
    log.error("%s failed (request %s)", what, request_id, exc_info=error)
    return AwsError("InternalFailure", f"{what} failed inside the local cloud: {type(error).__name__}: {error}", 500)


def _name(parsed: Parsed | None) -> str:
    return "a request" if parsed is None else f"{parsed.service}:{parsed.operation}"


def _not_there(call: Call, instead: str) -> AwsError:
    return AwsError("NotImplemented", f"the local cloud has no {call.service}:{call.operation}; {instead}", 501)


def _wrong_region(call: Call, region: str) -> AwsError:
    message = f"{call.service}:{call.operation} was sent to {call.region}; the local cloud is the region {region}"
    return AwsError("WrongRegion", message, 400)
