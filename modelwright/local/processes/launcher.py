"""Starts the real processes of the local cloud: jobs, functions and model servers.

Each is a child of a zygote (`zygote.py`), which has the libraries imported: one zygote for jobs and servers, one for
functions, and a plain one for what needs none (a fork of little is quicker than one of much). The launcher's threads
never fork.

What a process is given: exactly `ProcessSpec.env`, its own session, `/opt/ml` of its own (a mount namespace where the
system allows one, `translate.py` where not), no input, one output. What it is not: isolated from the network or from
the rest of the file system. Nothing that it started in its process group outlives it, and it does not outlive the
daemon; a program that leaves its session on purpose (`setsid`) escapes the former.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.local.processes import orphans, preload, translate, wire
from modelwright.local.processes.output import Output, Reader
from modelwright.local.processes.spec import ProcessSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.local.store.database import Database

__all__ = ["Launcher", "Process", "ProcessSpec"]

_LOST = -int(signal.SIGKILL)
_DRAIN_SECONDS = 2.0
_PYTHON = re.compile(r"python[0-9.]*")
_IMPORTED_FROM = str(Path(__file__).resolve().parents[3])
"""where this very modelwright is: an installation may hold another, or none"""


class Process:
    """A process that was started. Threads may wait for it and end it at the same time."""

    def __init__(self, pid: int, zygote: _ZygoteLink, output: Output) -> None:
        self.pid = pid
        self.peak_bytes = 0
        """the most memory it had, known when it has ended"""
        self.cpu_seconds = 0.0
        self._zygote = zygote
        self._output = output
        self._ended = threading.Event()
        self._status: int | None = None

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


class Launcher:
    """Starts processes. `scripts` are the folders whose imports the zygote for jobs has ready (`training_code/*`).

    With `fork` False every process is executed; with `mounts` False `/opt/ml` is always translated (both for tests).
    """

    def __init__(
        self, scripts: Sequence[Path], database: Database | None = None, *, fork: bool = True, mounts: bool = True
    ) -> None:
        self._database = database
        self._reader: Reader | None = None
        self._lock = threading.Lock()
        self._links: dict[str, _ZygoteLink] = {}
        shared: dict[str, Any] = {"fork": fork, "mounts": mounts, "clients": []}
        functions = [*preload.ALWAYS, *preload.FUNCTIONS]
        jobs = [*preload.ALWAYS, *preload.SERVERS]
        self._orders: dict[str, dict[str, Any]] = {
            "plain": {**shared, "modules": list(preload.ALWAYS), "folders": []},
            "job": {**shared, "modules": jobs, "folders": [str(folder) for folder in scripts]},
            "function": {**shared, "modules": functions, "folders": [], "clients": list(preload.FUNCTIONS_CALL)},
        }

    def warm(self) -> None:
        """Start the zygotes; returns at once, they import meanwhile."""
        for name in self._orders:
            self._link(name)

    def start(self, spec: ProcessSpec, on_line: Callable[[str], None]) -> Process:
        """Start a process; `on_line` gets each line of its output and errors, in order, from one thread.

        Waits until the zygote has imported its libraries if it is still at it.
        """
        link = self._link(_zygote_for(spec))
        process = link.start(spec, on_line)
        if self._database is not None:
            orphans.record(self._database, process.pid, f"{spec.kind} {' '.join(spec.argv[:2])}")
        return process

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return what each zygote said when it was ready: `mounts`, `fork`, and imports that `failed`."""
        return {name: self._link(name).ready() for name in self._orders}

    def stop(self) -> None:
        """Kill every process and end the zygotes."""
        with self._lock:
            links, self._links = list(self._links.values()), {}
            reader, self._reader = self._reader, None
        for link in links:
            link.stop()
        if reader is not None:
            reader.stop()

    def _link(self, name: str) -> _ZygoteLink:
        with self._lock:
            if self._reader is None:
                self._reader = Reader()
            found = self._links.get(name)
            if found is None or not found.alive:
                found = self._links[name] = _ZygoteLink(name, self._orders[name], self._reader, self._database)
            return found


class _ZygoteLink:
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
            orphans.record(database, self._zygote.pid, f"zygote for {name}s")
        wire.send(self._channel, order)
        self._thread = threading.Thread(target=self._listen, name=f"zygote-{name}", daemon=True)
        self._thread.start()

    def ready(self) -> dict[str, Any]:
        self._ready.wait()
        return self._hello

    def start(self, spec: ProcessSpec, on_line: Callable[[str], None]) -> Process:
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

    def signal(self, pid: int, number: int) -> None:
        with self._lock, contextlib.suppress(OSError):
            wire.send(self._channel, {"op": "signal", "pid": pid, "signal": int(number)})

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
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


def _zygote_for(spec: ProcessSpec) -> str:
    if spec.kind == "function":
        return "function"
    if spec.kind == "server" or len(spec.argv) < 2 or not _PYTHON.fullmatch(Path(spec.argv[0]).name):
        return "job" if spec.kind == "server" else "plain"
    if spec.argv[1] == "-m":
        return "plain" if spec.argv[2:3] == ["pip"] else "job"
    if spec.argv[1].startswith("-"):
        return "plain"
    script = translate.path(spec.argv[1], str(spec.root))
    return "job" if preload.needs_libraries(spec.cwd / script) else "plain"


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
