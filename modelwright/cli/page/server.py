"""A server on loopback for one page: under an address that nobody can guess, and for that page alone.

Any program of this machine, and any site in the browser, can send to a port of loopback. So the path begins with a
random token, the Host must be this server's (another name that resolves to 127.0.0.1 is refused), and a question must
come from the page's own origin as JSON.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from modelwright.cli.page.document import document, policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Describe = Callable[[], Mapping[str, Any]]
    Ask = Callable[[list[Any]], Mapping[str, Any]]

MOST_BYTES = 6 * 1024 * 1024
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageServer:
    """Serves the page until it is stopped."""

    def __init__(self, describe: Describe, ask: Ask, port: int = 0) -> None:
        """Bind; `describe` says what the page is about, each time that it is loaded, `ask` answers a question."""
        self.describe, self.ask = describe, ask
        self.token = secrets.token_urlsafe(24)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.page = self
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The page."""
        return f"{self.origin}/{self.token}/"

    def start(self) -> None:
        """Answer, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    page: PageServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        """Answer with the page."""
        if not self._is_ours("/"):
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        body = document(self.server.page.describe())
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", body, {"Content-Security-Policy": policy()})

    def do_POST(self) -> None:
        """Answer a question of the page."""
        page = self.server.page
        if not self._is_ours("/predict"):
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
        elif self.headers.get("Origin") != page.origin or self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.FORBIDDEN, "only the page itself may ask")
        else:
            rows = self._rows()
            if rows is not None:
                self._send_json(HTTPStatus.OK, page.ask(rows))

    def _is_ours(self, path: str) -> bool:
        page = self.server.page
        if self.headers.get("Host") != page.origin.removeprefix("http://"):
            return False
        return hmac.compare_digest(self.path.encode(), f"/{page.token}{path}".encode())

    def _rows(self) -> list[Any] | None:
        """The rows of the question; None when that was refused."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BYTES} bytes")
            return None
        try:
            found = json.loads(self.rfile.read(int(length)))
            rows = found["rows"]
        except (ValueError, KeyError, TypeError, RecursionError):
            rows = None
        if not isinstance(rows, list):
            self._refuse(HTTPStatus.BAD_REQUEST, "the body must be {rows: [...]}")
            return None
        return rows

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        self._send_json(status, {"message": message})

    def _send_json(self, status: HTTPStatus, found: Mapping[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(found).encode(), {})

    def _send(self, status: HTTPStatus, kind: str, body: bytes, more: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **more, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Say no versions."""
        return "modelwright"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Log nothing: the address holds the token."""
