"""moto's services, called in this process with moto's own handlers (what its server does, without Flask).

A backend is imported at its first call, or before in a thread (`preload`).
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from moto.backends import get_backend
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, Rule

from modelwright.local.calls.http import HttpResponse
from modelwright.local.store.file_bytes import FileBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from moto.core.request import Request

log = logging.getLogger(__name__)

MOTO_SERVICES: dict[str, str] = {"dynamodb": "dynamodb", "s3": "s3"}
"""botocore's name of a service that moto answers -> moto's name of it

Only what `persistence/` keeps: what moto's other services are told would be gone at the next start, and unknown to the
policies, without a word.
"""

_METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]


class _Regex(BaseConverter):
    part_isolating = False

    def __init__(self, url_map: Map, *items: Any) -> None:
        super().__init__(url_map)
        self.regex = items[0]


class MotoServices:
    """Each backend's handlers by path. moto's models are not made for threads: a service's calls come one at a time.

    They belong to the process, so only one cloud in it can use them at a time.
    """

    _user: ClassVar[MotoServices | None] = None

    def __init__(self) -> None:
        self._maps: dict[str, Map] = {}
        self._locks: dict[str, AbstractContextManager[Any]] = {}
        self._lock = threading.Lock()

    def take(self) -> None:
        """Use the backends from now on; RuntimeError while another cloud of this process does."""
        if MotoServices._user not in (None, self):
            raise RuntimeError("Another local cloud runs in this process; stop it first.")
        MotoServices._user = self

    def preload(self, services: Iterable[str]) -> None:
        """Import backends, so that the first call of each is quick."""
        for service in services:
            self._map(service)

    def turn(self, service: str) -> AbstractContextManager[Any]:
        """Hold this while calling, and while what the call changed is written down: changes are kept in their order."""
        with self._lock:
            if service not in self._locks:
                self._locks[service] = threading.RLock()
            return self._locks[service]

    def answer(self, service: str, request: Request) -> HttpResponse:
        """Hand a request to moto's handler of it."""
        try:
            handler, _ = self._map(service).bind("127.0.0.1").match(request.path, request.method)
            result = handler(request, request.raw_url, dict(request.headers))
        except HTTPException as error:  # moto's older services raise their answers
            return _from_exception(error)
        status, headers, body = result if isinstance(result, tuple) else (200, {}, result)
        written = {name: str(value) for name, value in headers.items()}
        if isinstance(body, FileBytes):
            return HttpResponse(int(status), written, file=body.part)
        return HttpResponse(int(status), written, _bytes(body))

    def forget(self) -> None:
        """Empty the backends, or the next cloud would find what this one made, and leave them to it."""
        if MotoServices._user is not self:
            return
        for name in MOTO_SERVICES.values():
            if f"moto.{name}.models" in sys.modules:
                for regions in get_backend(name).values():
                    regions.reset()
        MotoServices._user = None

    def _map(self, service: str) -> Map:
        with self._lock:
            found = self._maps.get(service)
        if found is None:
            found = _make_map(MOTO_SERVICES[service])
            with self._lock:
                found = self._maps.setdefault(service, found)
        return found


def _make_map(moto_name: str) -> Map:
    regions = get_backend(moto_name)["123456789012"]
    backend = regions["aws"] if "aws" in regions else regions["us-east-1"]
    paths: dict[str, Callable[..., Any]] = backend.flask_paths
    rules = [
        Rule(path, endpoint=handler, methods=_METHODS, strict_slashes=False) for path, handler in paths.items() if path
    ]
    return Map(rules, converters={"regex": _Regex}, merge_slashes=False)  # `a//b` is an S3 key of its own


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8")
    return b"".join(part if isinstance(part, bytes) else str(part).encode("utf-8") for part in body or ())


def _from_exception(error: HTTPException) -> HttpResponse:
    response = error.get_response()
    return HttpResponse(response.status_code, dict(response.headers.items()), response.get_data())
