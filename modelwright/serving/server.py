"""The process: binds its port, loads the model, serves, drains on SIGTERM.

The order matters. The port is bound first, so that one in use is found before a minute of loading; it listens only
when the model is loaded, so that no `/ping` gets through before; the model is loaded by the main thread before any
other thread exists, so that later workers can be forked and share its memory.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelwright.serving.app import App
from modelwright.serving.archive import unpack
from modelwright.serving.problems import StartupError
from modelwright.serving.python_model import load_model
from modelwright.serving.requirements import install_requirements
from modelwright.serving.script import load_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import uvicorn

    from modelwright.serving.model import Model
    from modelwright.serving.settings import Settings

DRAIN_SECONDS = 25
"""SageMaker sends SIGKILL thirty seconds after SIGTERM:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
IDLE_SECONDS = 3600
"""a connection may stay idle that long: the platform's pool, not the server, decides when it is of no more use"""


class Parent:
    """Tells whoever started the process that it serves, or why it does not: one line on standard output."""

    def __init__(self, token: str | None) -> None:
        """Say nothing without a token. It is a nonce, so that no print of a script is taken for such a line."""
        self._token = token

    def ready(self, port: int) -> None:
        """The server answers on `port`."""
        self._tell({"ready": True, "port": port})

    def failed(self, reason: str) -> None:
        """The server will not answer."""
        self._tell({"ready": False, "reason": reason})

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._token is not None:
            sys.stdout.flush()
            os.write(1, f"{self._token} {json.dumps(message)}\n".encode())


def run(settings: Settings, model_dir: Path, archive: Path | None, host: str, port: int, code: Path | None) -> int:
    """Serve until SIGTERM; return the exit code, 1 with the reason on standard error when it cannot serve."""
    parent = Parent(settings.notify_token)
    try:
        listener = _bind(host, port)
        model = _load(settings, model_dir, archive, code or model_dir / "code")
    except StartupError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201  # the log of a process
        parent.failed(str(error))
        return 1
    return _serve(model, settings, listener, parent)


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = f"The port {port} of {host} cannot be used: {error.strerror or error}."
        raise StartupError(f"{reason} End what listens there, or set SAGEMAKER_BIND_TO_PORT to another.") from None
    return listener


def _load(settings: Settings, model_dir: Path, archive: Path | None, code: Path) -> Model:
    if archive is not None:
        unpack(archive, model_dir, settings.expected_sha256)
    elif settings.expected_sha256 is not None:
        raise StartupError("MODELWRIGHT_MODEL_SHA256 is set, but there is no --archive whose hash could be compared.")
    if not model_dir.is_dir():
        raise StartupError(f"There is no model folder {model_dir}.")
    install_requirements(code)
    return load_model(load_script(code, settings.program), model_dir, settings.default_accept)


def _serve(model: Model, settings: Settings, listener: socket.socket, parent: Parent) -> int:
    import uvicorn  # noqa: PLC0415  # a model that cannot be loaded need not wait for it

    failed = False

    def give_up() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True

    app = App(model, settings, _log, give_up)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's ASGI types are narrower than what it passes
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _server_class()(config)
    server.tell = lambda: parent.ready(listener.getsockname()[1])
    try:
        server.run(sockets=[listener])
    except OSError as error:
        parent.failed(f"The port cannot be used: {error.strerror or error}.")
        return 1
    _log({"event": "stopped", "because": "predictions hang" if failed else "SIGTERM"})
    return int(failed)


def _server_class() -> Any:
    import uvicorn  # noqa: PLC0415  # as above

    class DrainingServer(uvicorn.Server):
        """uvicorn's server, which tells when it listens and ends with exit code 0 after SIGTERM."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.tell()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.handle_exit)
            yield

    return DrainingServer


def _log(record: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()
