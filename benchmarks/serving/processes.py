"""A server's processes: started, found, weighed and ended, each by its id (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import Launch

_STOP_SECONDS = 20.0


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(launch: Launch) -> dict[str, str]:
    """Return this process's environment without what is ours in it, and the server's."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SAGEMAKER", "MODELWRIGHT"))
    }
    return {**kept, **launch.environment}


class Processes:
    """What one server runs as."""

    def __init__(self, launch: Launch, scratch: Path) -> None:
        """Start all of its commands."""
        self.log = scratch / "server.log"
        self._roots: list[subprocess.Popen[bytes]] = []
        with self.log.open("wb") as log:
            for command in launch.commands:
                started = subprocess.Popen(
                    [str(part) for part in command],
                    cwd=scratch,
                    env=environment(launch),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
                self._roots.append(started)

    def ended(self) -> bool:
        """Whether one of the commands is over: then the server is not whole."""
        return any(root.poll() is not None for root in self._roots)

    def tail(self) -> str:
        """Return the end of what they logged."""
        return " ".join(self.log.read_text(errors="replace").split())[-300:]

    def ids(self) -> list[int]:
        """Return the ids of the commands and of everything that they started and that lives."""
        found, children = [], _children()
        waiting = [root.pid for root in self._roots if root.poll() is None]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += children.get(pid, [])
        return found

    def memory_mib(self) -> float:
        """Return the proportional set size of all of them."""
        return sum(_pss_kib(pid) for pid in self.ids()) / 1024

    def cpu_seconds(self) -> float:
        """Return the processor time that those alive have taken."""
        return sum(_cpu_ticks(pid) for pid in self.ids()) / os.sysconf("SC_CLK_TCK")

    def settle(self, patience: float = 300.0) -> None:
        """Wait until requests whose clients are gone are no longer worked on: they would slow the next server."""
        deadline, before = time.monotonic() + patience, self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.1)
            now = self.cpu_seconds()
            if now - before <= 0.02:
                return
            before = now
        raise RuntimeError(f"the server is still busy {patience:g} s after the last request")

    def stop(self) -> None:
        """End them: SIGTERM to the commands, SIGKILL by id to what is left."""
        everything = self.ids()
        for root in self._roots:
            with contextlib.suppress(ProcessLookupError):
                root.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for root in self._roots:
            with contextlib.suppress(subprocess.TimeoutExpired):
                root.wait(max(0.0, deadline - time.monotonic()))
        for pid in everything:
            if pid not in {root.pid for root in self._roots if root.returncode is not None}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for root in self._roots:
            root.wait()


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int(_stat(folder)[1])
            children.setdefault(parent, []).append(int(folder.name))
    return children


def _stat(folder: Path) -> list[str]:
    """Return the fields after the command's name, which may hold anything: https://man7.org/linux/man-pages/man5/proc.5.html."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _cpu_ticks(pid: int) -> int:
    try:
        fields = _stat(Path(f"/proc/{pid}"))
    except OSError:
        return 0  # it ended meanwhile
    return int(fields[11]) + int(fields[12])


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it ended meanwhile
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
