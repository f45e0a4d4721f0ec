"""A server that runs: started, timed to its first answer, checked."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .model import Prediction, difference
from .processes import Processes
from .venvs import PeerUnavailable

if TYPE_CHECKING:
    from .server import Body, Place, Rows, Server

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Running:
    """One that has answered."""

    server: Server
    place: Place
    processes: Processes
    start_seconds: float
    """from the first command's start to the end of the first answer with status 200"""

    @property
    def url(self) -> str:
        """Return where it is asked."""
        return f"http://127.0.0.1:{self.place.port}/invocations"


def start(server: Server, place: Place, row: Rows) -> Running:
    """Start it and wait for its first prediction; PeerUnavailable has the end of its log when none comes."""
    began = time.perf_counter()
    processes = Processes(server.launch(place), place.scratch)
    body = server.body(row, server.formats[0])
    last = "nothing listens"
    while time.perf_counter() - began < _START_SECONDS and not processes.ended():
        try:
            status, answer = ask(place.port, body)
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
            continue
        if status == 200:
            return Running(server, place, processes, time.perf_counter() - began)
        last = f"{status} {answer[:200]!r}"
        time.sleep(0.005)
    said = processes.tail()
    processes.stop()
    raise PeerUnavailable(f"has not answered 200 ({last}); its log ends: {said}")


def ask(port: int, body: Body) -> tuple[int, bytes]:
    """Return the status and the body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
    try:
        headers = {"Content-Type": body.content_type, "Accept": "application/json"}
        connection.request("POST", "/invocations", body.content, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def check(running: Running, rows: Rows, form: str, wanted: list[Prediction]) -> None:
    """Compare one answer with what the model says: nothing that answers wrongly is measured."""
    server = running.server
    status, answer = ask(running.place.port, server.body(rows, form))
    if status != 200:
        raise RuntimeError(f"{server.name} answers {status} to {len(rows)} rows of {form}: {answer[:300]!r}")
    wrong = difference([] if server.kind == "floor" else wanted, server.understand(answer), server.tolerance)
    if wrong:
        raise RuntimeError(f"{server.name} answers wrongly to {len(rows)} rows of {form}: {wrong}")
