"""Real model servers, each a process of its own, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SECONDS = 20
"""far more than anything here takes"""


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningServer:
    process: subprocess.Popen[bytes]
    log: Path
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.told["port"])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def invoke(self, body: Any, content_type: str | None = "text/csv", accept: str = "application/json") -> Answer:
        headers = {"Accept": accept, **({} if content_type is None else {"Content-Type": content_type})}
        return self.ask("POST", "/invocations", body, headers)

    def stop(self) -> tuple[int, str]:
        """End it as SageMaker does; returns the exit status and everything that it wrote."""
        self.process.terminate()
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for its end; returns the exit status and everything that it wrote."""
        status = self.process.wait(SECONDS)
        return status, self.log.read_text()


Start = "Callable[..., RunningServer]"


def start_server(
    folder: Path, script: str | None, environment: Mapping[str, str], arguments: list[str]
) -> RunningServer:
    code = folder / "code"
    if script is not None and "--archive" not in arguments:
        code.mkdir(parents=True, exist_ok=True)
        (code / "inference.py").write_text(textwrap.dedent(script))
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "modelwright.serving", "--model-dir", str(folder), "--notify-fd", str(writing)]
    command += arguments if "--port" in arguments else ["--port", "0", *arguments]
    log = folder.with_name(f"{folder.name}.log")  # a file: nobody has to read it so that the server can go on
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            pass_fds=[writing],
            env={**os.environ, "MODELWRIGHT_WORKERS": "1", **environment},
        )
    os.close(writing)
    with os.fdopen(reading) as told:
        line = told.readline()
    return RunningServer(process, log, json.loads(line) if line else {})


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a server for a script (None: what the folder has); `arguments` are those of its command line."""
    started: list[RunningServer] = []

    def start(
        script: str | None = "", *arguments: str, folder: Path | None = None, **environment: str
    ) -> RunningServer:
        server = start_server(folder or tmp_path_factory.mktemp("model"), script, environment, list(arguments))
        started.append(server)
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()
