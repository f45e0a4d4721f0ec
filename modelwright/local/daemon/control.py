"""How commands reach the one daemon of a project: a lock that says whose the folder is, and JSON lines over a socket.

Standard library only, and little of it: each command imports this before anything else.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from modelwright.errors import LocalCloudBusy, LocalCloudFailed, StateUnusable

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

DIRECTORY = ".modelwright"
LOCK_FILE = "lock"
ADDRESS_FILE = "daemon.json"
SOCKET_FILE = "control.sock"
LOG_FILE = "daemon.log"

_LONGEST_UNIX_PATH_BYTES = 100
"""sun_path has 104 bytes on macOS, 108 on Linux (unix(7))"""


class Ownership:
    """An exclusive lock on the folder, held by the operating system: it ends with the process, however that ends."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_FILE
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock; False when another process holds it."""
        import fcntl  # noqa: PLC0415  # what has no fcntl has no fork either, and is told so by name

        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateUnusable(
                f"{self._path.parent} cannot be written: {error.strerror}.",
                "The local cloud keeps its state there: make the folder writable.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; the process's end does the same."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Channel:
    """JSON lines over a connected socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream: BinaryIO = connection.makefile("rb")

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; OSError when the other side is gone."""
        self._connection.sendall(json.dumps(message).encode("utf-8") + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """Wait for the next message; None when the other side has closed or gone."""
        try:
            line = self._stream.readline()
        except OSError:
            return None
        message: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return message

    def ask(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Send a message and wait for the answer; None when the other side is gone."""
        try:
            self.send(message)
        except OSError:
            return None
        return self.receive()

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._connection.close()


class Listener:
    """The daemon's side: a unix socket in the folder, or loopback with a token where there is none of that length."""

    def __init__(self, directory: Path) -> None:
        """Bind, and write the address (readable by its owner only) for the others. Hold the folder's lock."""
        self._directory = directory
        self._token = secrets.token_hex(32)
        path = directory / SOCKET_FILE
        if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= _LONGEST_UNIX_PATH_BYTES:
            path.unlink(missing_ok=True)
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            mask = os.umask(0o177)
            try:
                self._socket.bind(str(path))
            finally:
                os.umask(mask)
            self._socket.listen(64)
            address: dict[str, Any] = {"unix": SOCKET_FILE}
        else:
            self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
            address = {"port": self._socket.getsockname()[1]}
        _write_private(directory / ADDRESS_FILE, {**address, "token": self._token, "pid": os.getpid()})

    def accept(self) -> Channel | None:
        """Wait for a connection that shows the token; None when the listener was closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return None
            return Channel(connection)

    def admits(self, token: object) -> bool:
        """True when a connection's first message has shown the token."""
        return isinstance(token, str) and secrets.compare_digest(token, self._token)

    def close(self) -> None:
        """Take the address away and stop listening."""
        (self._directory / ADDRESS_FILE).unlink(missing_ok=True)
        (self._directory / SOCKET_FILE).unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def connect(directory: Path) -> tuple[Channel, str] | None:
    """Connect to the daemon of this folder: the channel and the token to show; None when none listens."""
    try:
        address = json.loads((directory / ADDRESS_FILE).read_text())
        if "unix" in address:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(str(directory / address["unix"]))
        elif _owned(directory):
            connection = socket.create_connection(("127.0.0.1", address["port"]))
        else:
            return None  # its owner was killed: the port may be anybody's by now
    except (OSError, ValueError):
        return None
    return Channel(connection), address["token"]


def _owned(directory: Path) -> bool:
    """True when a process holds the folder's lock."""
    ownership = Ownership(directory)
    if not ownership.take():
        return True
    ownership.release()
    return False


def error_to_json(error: BaseException) -> dict[str, Any]:
    """An error as a message; `error_from_json` raises it on the other side."""
    from modelwright.errors import ModelwrightError  # noqa: PLC0415  # beside its use

    if isinstance(error, ModelwrightError):
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    return {"error": "LocalCloudFailed", "message": f"{type(error).__name__}: {error}", "hint": None}


def error_from_json(message: dict[str, Any]) -> Exception:
    """The error that the daemon met, of its own class where that takes a message and a hint only."""
    known = {"StateUnusable": StateUnusable, "LocalCloudBusy": LocalCloudBusy}
    return known.get(message["error"], LocalCloudFailed)(message["message"], message["hint"])


def _write_private(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    temporary.replace(path)
