"""The launcher's side of one zygote, and the processes that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.local.processes import orphans, wire
from modelwright.local.processes.output import Output, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.processes.spec import ProcessSpec
    from modelwright.local.store.database import Database

_LOST = -int(signal.SIGKILL)
_DRAIN_SECONDS = 2.0
_IMPORTED_FROM = str(Path(__file__).resolve().parents[3])
"""where this very modelwright is: an installation may hold another, or none"""


class Process:
    """A process that was started. Threads may wait for it and end it at the same time."""

    def __init__(self, pid: int, zygote: ZygoteLink, output: Output) -> None:
        self.pid = pid
        self.peak_bytes = 0
        """the most memory it had, known when it has ended"""
        self.cpu_seconds = 0.0
        self._zygote = zygote
        self._output = output
        self._ended = threading.Event()
        self._status: int | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end; its exit status then (negative: the signal that killed it), or None after the timeout.

        All of its output has been handed on by then, unless a process that escaped still holds it.
        """
        if not self._ended.wait(timeout):
            return None
        self._output.closed.wait(_DRAIN_SECONDS)
        return self._status

    def terminate(self, grace_seconds: float) -> None:
        """Ask it and what it started to end (SIGTERM); kill them after the grace. Returns when it has ended."""
        self.signal(signal.SIGTERM)
        if not self._ended.wait(grace_seconds):
            self.kill()
            self._ended.wait()

    def kill(self) -> None:
        """Kill it and what it started."""
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Signal it and what it started; nothing when it has ended."""
        if not self._ended.is_set():
            self._zygote.signal(self.pid, number)

    def end(self, status: int, cpu_seconds: float = 0.0, peak_bytes: int = 0) -> None:
        """Note how it ended. For the zygote's link alone."""
        self._status, self.cpu_seconds, self.peak_bytes = status, cpu_seconds, peak_bytes
        self._ended.set()


class ZygoteLink:
    """The launcher's side of one zygote: its channel, and a thread that hears how processes ended."""

    def __init__(self, name: str, order: dict[str, Any], reader: Reader, database: Database | None) -> None:
        self.alive = True
        self._reader = reader
        self._database = database
        self._lock = threading.Lock()
        self._answers: dict[int, _Started] = {}
        self._processes: dict[int, Process] = {}
        self._next = 0
        self._ready = threading.Event()
        self._hello: dict[str, Any] = {}
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._zygote = _spawn_zygote(theirs)
        if database is not None:
            orphans.record(database, self._zygote.pid, f"zygote: {name}")
        wire.send(self._channel, order)
        self._thread = threading.Thread(target=self._listen, name=f"zygote-{name}", daemon=True)
        self._thread.start()

    def ready(self) -> dict[str, Any]:
        """Wait until it has imported its libraries; what it said then."""
        self._ready.wait()
        return self._hello

    def start(self, spec: ProcessSpec, on_line: Callable[[str], None]) -> Process:
        """Start a process; ChildProcessError when the zygote ended before it could."""
        reading, writing = os.pipe()
        started = _Started(Output(reading, on_line))
        with self._lock:
            self._next += 1
            number = self._next
            self._answers[number] = started
            try:
                message = {"op": "start", "id": number, **spec.to_message()}
                wire.send(self._channel, message, (writing, *spec.pass_fds))
            except OSError:
                del self._answers[number]
                os.close(reading)
                raise
            finally:
                os.close(writing)
        self._reader.add(started.output)
        started.known.wait()
        if started.process is None:
            raise ChildProcessError(f"{spec.argv[0]}: the zygote ended before it could start this process")
        return started.process

    def go_on(self) -> None:
        """Tell it that processes are started from now on: it imports the rest of what they may need."""
        with self._lock, contextlib.suppress(OSError):
            wire.send(self._channel, {"op": "go on"})

    def signal(self, pid: int, number: int) -> None:
        """Signal a process's group, unless it has been reaped."""
        with self._lock, contextlib.suppress(OSError):
            wire.send(self._channel, {"op": "signal", "pid": pid, "signal": int(number)})

    def end(self) -> None:
        """Let the zygote end, and with it everything that it started; returns at once."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """End the zygote and return when it has ended."""
        self.end()
        self._thread.join()

    def _listen(self) -> None:
        try:
            while True:
                self._hear(wire.receive(self._channel)[0])
        except (wire.Closed, OSError):
            pass
        finally:
            self._end_all()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["event"] == "ready":
            self._hello = message
            self._ready.set()
        elif message["event"] == "started":
            with self._lock:
                started = self._answers.pop(message["id"])
            started.process = Process(message["pid"], self, started.output)
            self._processes[message["pid"]] = started.process
            started.known.set()
        else:
            self._ended(message)

    def _ended(self, message: dict[str, Any]) -> None:
        process = self._processes.pop(message["pid"], None)
        if process is not None:
            process.end(message["status"], message["cpu_seconds"], message["peak_bytes"])
            self._forget(process.pid)

    def _end_all(self) -> None:
        """The zygote is gone or told to go: with it went every process that it had."""
        self.alive = False
        self._zygote.wait()
        self._channel.close()
        self._ready.set()
        with self._lock:
            waiting, self._answers = list(self._answers.values()), {}
        for started in waiting:
            started.known.set()
        for pid, process in list(self._processes.items()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            process.end(_LOST)
            self._forget(pid)
        self._processes.clear()
        self._forget(self._zygote.pid)

    def _forget(self, pid: int) -> None:
        if self._database is not None:
            orphans.forget(self._database, pid)


class _Started:
    """The answer to a start, while it is waited for."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.known = threading.Event()
        self.process: Process | None = None


def _spawn_zygote(theirs: socket.socket) -> subprocess.Popen[bytes]:
    number = theirs.fileno()
    program = f"import sys; sys.path.append({_IMPORTED_FROM!r}); from modelwright.local.processes import zygote; "
    program += f"zygote.main({number})"
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"}}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**kept, "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        pass_fds=[number],
        cwd="/",
        start_new_session=True,  # Ctrl-C at the terminal is the command line's to handle
    )
