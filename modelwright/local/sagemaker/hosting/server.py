"""One instance of a variant: a model server's process, kept alive, with an /opt/ml of its own."""

from __future__ import annotations

import http.client
import logging
import os
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.local.processes.spec import ProcessSpec
from modelwright.local.sagemaker.hosting.code import unpack
from modelwright.local.sagemaker.hosting.connections import Connections, NotConnected, Reply
from modelwright.local.sagemaker.hosting.readiness import ServerFailed, ping, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from modelwright.local.processes.launcher import Launcher, Process

STOP_SECONDS = 30
MOST_FAILED_STARTS = 3
"""so often in a row a server that had served is started again in vain, or for nobody"""
LAST_LINES = 20
_log = logging.getLogger(__name__)
_STOPPED = "It was stopped while it started."
__all__ = ["Server", "ServerFailed", "ServerSpec"]


@dataclass(frozen=True)
class ServerSpec:
    """What one server is started with."""

    root: Path
    """becomes its /opt/ml; removed when it is stopped"""
    archive: Path | None
    environment: Mapping[str, str]
    startup_seconds: float
    model_dir: str = "/opt/ml/model"
    """what `model_fn` is called with"""
    code: Path | None = None
    """a tar.gz that becomes its /opt/ml/code; a script for several models is not in their archives"""


class Server:
    """A process that serves one model. It is started again when it dies, until `stop`."""

    def __init__(self, launcher: Launcher, spec: ServerSpec, on_line: Callable[[str], None]) -> None:
        """Nothing is started yet; `on_line` gets each line that the processes write."""
        self._launcher = launcher
        self._spec = spec
        self._on_line = on_line
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._process: Process | None = None
        self._launching: Process | None = None
        self._connections: Connections | None = None
        self._stopping = False
        self._idle_ends = 0
        """how often in a row the process has ended without having been asked anything"""
        self._asked = False
        self._reason = ""

    @property
    def pid(self) -> int | None:
        """The process that serves now; None while there is none."""
        with self._changed:
            return self._process.pid if self._process is not None and self._connections is not None else None

    @property
    def root(self) -> Path:
        """What is its /opt/ml."""
        return self._spec.root

    @property
    def given_up(self) -> bool:
        """Whether it has ended for good, by itself."""
        return bool(self._reason)

    @property
    def servers(self) -> Sequence[Server]:
        """Itself: what a member of a fleet consists of."""
        return (self,)

    @contextmanager
    def serving(self, target: str | None) -> Iterator[Server]:  # noqa: ARG002  # it has one model, whatever is asked
        """Lend the server for one request, with the process up or about to be."""
        yield self

    def start(self) -> None:
        """Start the process and return when its `/ping` has answered 200; ServerFailed with the reason otherwise.

        Also when it is, or was, stopped: then nothing of it is left.
        """
        with self._lock:
            process, connections = self._launch()
            with self._changed:
                self._launching = None
                if not self._stopping:
                    self._process, self._connections, self._reason = process, connections, ""
                self._asked = False
                self._changed.notify_all()
            if self._stopping:
                connections.close()
                process.terminate(0)
                raise ServerFailed(_STOPPED)
        threading.Thread(target=self._watch, args=(process,), name="model-server", daemon=True).start()

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Ask the server, waiting while it is started again. ServerFailed when there is no answer."""
        connections = self._wait_for_connections(seconds)
        self._asked = True
        try:
            return connections.exchange(method, path, headers, body, seconds)
        except NotConnected:  # it has died, and _watch is about to hear of it
            with self._changed:
                if self._connections is connections:
                    self._connections = None
            return self.exchange(method, path, headers, body, seconds)
        except TimeoutError:
            raise ServerFailed(f"the model server has not answered after {seconds:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise ServerFailed(f"the model server ended while it worked on the request ({error})") from None

    def stop(self, grace_seconds: float = STOP_SECONDS) -> None:
        """Let the server finish what it has (SIGTERM; SIGKILL after the grace), and remove its tree.

        A start that is under way fails at once, and none begins any more.
        """
        with self._changed:
            self._stopping = True
            process, connections, launching = self._process, self._connections, self._launching
            self._process = self._connections = None
            self._changed.notify_all()
        if connections is not None:
            connections.close()
        if launching is not None:
            launching.kill()
        if process is not None:
            process.terminate(grace_seconds)
        with self._lock:  # a start that was under way has left the tree alone by then
            shutil.rmtree(self._spec.root, ignore_errors=True)

    def kill(self) -> None:
        """End the process at once, as the machine does with one that has too much memory; another one is started."""
        with self._changed:
            process = self._process
        if process is not None:
            process.kill()

    def _wait_for_connections(self, seconds: float) -> Connections:
        with self._changed:
            self._changed.wait_for(lambda: self._connections is not None or self._stopping or self._reason, seconds)
            if self._connections is None:
                raise ServerFailed(self._reason or "the model server is being started again")
            return self._connections

    def _launch(self) -> tuple[Process, Connections]:
        if self._stopping:
            raise ServerFailed(_STOPPED)
        shutil.rmtree(self._spec.root, ignore_errors=True)
        self._spec.root.mkdir(parents=True)
        lines: list[str] = []
        reading, writing = os.pipe()
        try:
            process = self._launcher.start(self._process_spec(writing), lambda line: self._take_line(line, lines))
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        try:
            self._note_launch(process)
            began = time.monotonic()
            port = wait_until_ready(reading, process, self._spec.startup_seconds, lines)
            connections = Connections(port)
            ping(connections, process, self._spec.startup_seconds - (time.monotonic() - began))
        except BaseException:
            process.terminate(0)
            self._note_launch(None)
            raise
        finally:
            os.close(reading)
        return process, connections

    def _note_launch(self, process: Process | None) -> None:
        """Let `stop` know which process it has to end, unless it came before there was one."""
        with self._changed:
            self._launching = process
            if process is not None and self._stopping:
                raise ServerFailed(_STOPPED)

    def _process_spec(self, writing: int) -> ProcessSpec:
        argv = [sys.executable, "-m", "modelwright.serving", "--model-dir", self._spec.model_dir, "--port", "0"]
        argv += ["--notify-fd", "3"]
        if self._spec.archive is not None:
            argv += ["--archive", str(self._spec.archive)]
        else:
            (self._spec.root / "model").mkdir()
        if self._spec.code is not None:
            unpack(self._spec.code, self._spec.root / "code")
        return ProcessSpec(
            argv=argv,
            env={"MODELWRIGHT_WORKERS": "1", **self._spec.environment},  # a laptop's cores are not the endpoint's alone
            cwd=self._spec.root,
            root=self._spec.root,
            kind="server",
            pass_fds=(writing,),
        )

    def _take_line(self, line: str, lines: list[str]) -> None:
        lines.append(line)
        del lines[:-LAST_LINES]
        self._on_line(line)

    def _watch(self, process: Process) -> None:
        """Wait for the process's end, and start another one unless that was wanted."""
        status = process.wait()
        with self._changed:
            if self._stopping or self._process is not process:
                return
            if self._connections is not None:
                self._connections.close()
            self._connections = None
            self._idle_ends = 0 if self._asked else self._idle_ends + 1
        if self._idle_ends > MOST_FAILED_STARTS:
            self._give_up(f"the model server ends by itself again and again, with status {status}")
            return
        self._tell(f"The model server ended with status {status}; it is started again.")
        self._restart()

    def _restart(self) -> None:
        for _ in range(MOST_FAILED_STARTS):
            if self._stopping:
                return
            try:
                self.start()
            except Exception as error:  # noqa: BLE001  # whatever it is, requests that wait must hear of it
                reason = str(error)
            else:
                return
        if not self._stopping:
            self._give_up(f"the model server cannot be started again: {reason}")

    def _give_up(self, reason: str) -> None:
        with self._changed:
            self._reason = reason
            self._changed.notify_all()
        self._tell(f"Given up: {reason}.")

    def _tell(self, line: str) -> None:
        """Write a line of ours into the log; a log that cannot be written is no reason to serve no more."""
        try:
            self._on_line(line)
        except Exception:  # noqa: BLE001  # the watch goes on
            _log.exception("a line of a model server is lost root=%s", self._spec.root)
