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

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.local.processes import orphans, preload, translate
from modelwright.local.processes.output import Reader
from modelwright.local.processes.spec import ProcessSpec
from modelwright.local.processes.zygote_link import Process, ZygoteLink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.local.store.database import Database

__all__ = ["Launcher", "Process", "ProcessSpec"]

_PYTHON = re.compile(r"python[0-9.]*")


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
        self._stopped = False
        self._links: dict[str, ZygoteLink] = {}
        shared: dict[str, Any] = {"fork": fork, "mounts": mounts, "modules": list(preload.ALWAYS)}
        shared |= {"folders": [], "later": [], "clients": [], "in_use": {"later": [], "clients": []}}
        compilers = {"later": list(preload.COMPILERS), "clients": []}
        clients = {"clients": list(preload.CALLED_FIRST), "in_use": {"later": [], "clients": list(preload.CALLED)}}
        self._orders: dict[str, dict[str, Any]] = {
            "plain": shared,
            "job": {
                **shared,
                "folders": [str(folder) for folder in scripts],
                "later": list(preload.SERVERS),
                "in_use": compilers,
            },
            "function": {**shared, "modules": [*preload.ALWAYS, *preload.FUNCTIONS], **clients},
        }
        self._in_use = False

    def warm(self) -> None:
        """Start the zygotes; returns at once, they import meanwhile."""
        for name in self._orders:
            self._link(name)

    def start(self, spec: ProcessSpec, on_line: Callable[[str], None]) -> Process:
        """Start a process; `on_line` gets each line of its output and errors, in order, from one thread.

        ChildProcessError after `stop`: who restarts what has ended must not bring anything to life then.

        Waits until the zygote has imported its libraries if it is still at it.
        """
        link = self._link(_zygote_for(spec))
        process = link.start(spec, on_line)
        self._go_on()
        if self._database is not None:
            orphans.record(self._database, process.pid, f"{spec.kind} {' '.join(spec.argv[:2])}")
            if process.has_ended:  # and was forgotten before it was recorded, perhaps
                orphans.forget(self._database, process.pid)
        return process

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return what each zygote said when it was ready: `mounts`, `fork`, and imports that `failed`."""
        return {name: self._link(name).ready() for name in self._orders}

    def stop(self) -> None:
        """Kill every process and end the zygotes; none is started any more."""
        with self._lock:
            self._stopped = True
            links, self._links = list(self._links.values()), {}
            reader, self._reader = self._reader, None
        for link in links:
            link.end()
        for link in links:
            link.stop()
        if reader is not None:
            reader.stop()

    def _go_on(self) -> None:
        """With the first process a run begins: let every zygote import what only some runs' processes need."""
        with self._lock:
            links, self._in_use = [] if self._in_use else list(self._links.values()), True
        for link in links:
            link.go_on()

    def _link(self, name: str) -> ZygoteLink:
        with self._lock:
            if self._stopped:
                raise ChildProcessError("the local cloud ends: no process is started any more")
            if self._reader is None:
                self._reader = Reader()
            found = self._links.get(name)
            if found is None or not found.alive:
                found = self._links[name] = ZygoteLink(name, self._orders[name], self._reader, self._database)
                if self._in_use:
                    found.go_on()
            return found


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
