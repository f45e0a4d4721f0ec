"""One warm process of a function: started with its environment, given one invocation at a time."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.local.functions.runtime import CHANNEL, END_OF_OUTPUT
from modelwright.local.processes import wire
from modelwright.local.processes.spec import ProcessSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.record import Function

INIT_SECONDS = 10.0
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
_WATCH_SECONDS = 0.05
_OUTPUT_SECONDS = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
assert CHANNEL == 3  # noqa: S101 - the first of ProcessSpec.pass_fds


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: `result` (JSON text) or `error` (AWS's error object)."""

    result: str | None
    error: dict[str, Any] | None
    peak_bytes: int
    alive: bool
    """whether the process can take another invocation"""


class Sandbox:
    """A process of a function. `on_line` gets what it prints."""

    def __init__(self, cloud: Cloud, function: Function, stream: str, on_line: Callable[[str], None]) -> None:
        """Start it; returns at once, the handler is imported meanwhile."""
        self.function = function
        self.stream = stream
        self.init_seconds: float | None = None
        """how long the import of the handler took; taken away by who reports it"""
        self.usable = True
        """whether it can take another invocation"""
        self._on_line = on_line
        self._complete: dict[str, threading.Event] = {}
        self._expect("init")  # before it starts: it may have imported its handler before anybody invokes it
        self._began = time.monotonic()
        self._folder = folder_of_all(cloud) / uuid.uuid4().hex
        (self._folder / "tmp").mkdir(parents=True)
        self._channel, theirs = socket.socketpair()
        with theirs:
            spec = ProcessSpec(
                [sys.executable, "-m", "modelwright.local.functions.runtime"],
                environment(cloud, function, stream, self._folder),
                self._folder.parent,  # not the code's folder: what is in that is imported when the runtime is
                self._folder,
                "function",
                (theirs.fileno(),),
            )
            self._process = cloud.launcher.start(spec, self._line)
        self._waiting = select.poll()
        self._waiting.register(self._channel, select.POLLIN)
        self._ready = False

    def invoke(self, request: dict[str, Any], timeout_seconds: float) -> Outcome:
        """Give it one invocation and wait for the answer, until the timeout or its end.

        The first one waits for the handler's import besides, which has 10 seconds of its own.
        """
        request_id = request["request_id"]
        if not self._ready:
            outcome = self._answer(self._began + INIT_SECONDS, request_id, "init")
            if outcome is not None:
                return outcome
            self._ready = True
            self.init_seconds = time.monotonic() - self._began
        self._expect(request_id)
        deadline = time.monotonic() + timeout_seconds
        try:
            wire.send(self._channel, {**request, "deadline": time.time() + timeout_seconds})
        except OSError:
            return self._ended(request_id)
        outcome = self._answer(deadline, request_id, request_id)
        assert outcome is not None  # noqa: S101 - only an `init` has no outcome
        return outcome

    def kill(self) -> None:
        """Let it end at once, without waiting for that; its files stay."""
        self._process.kill()

    def close(self) -> None:
        """End it at once, and remove its files."""
        self.kill()
        with contextlib.suppress(OSError):
            self._channel.close()
        self._process.wait(_OUTPUT_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _line(self, text: str) -> None:
        before, mark, request_id = text.partition(END_OF_OUTPUT)
        if before or not mark:
            self._on_line(before)
        done = self._complete.get(request_id) if mark else None
        if done is not None:
            done.set()

    def _expect(self, request_id: str) -> None:
        self._complete[request_id] = threading.Event()

    def _answer(self, deadline: float, request_id: str, waited_for: str) -> Outcome | None:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return self._timed_out(request_id)
            if self._waiting.poll(min(left, _WATCH_SECONDS) * 1000):
                break
            if self._resident_bytes() > self.function.memory_mib << 20:
                return self._out_of_memory(request_id)
        try:
            answer, _ = wire.receive(self._channel)
        except (wire.Closed, OSError):
            return self._ended(request_id)
        self._complete[waited_for].wait(_OUTPUT_SECONDS)
        del self._complete[waited_for]
        return self._outcome(answer)

    def _outcome(self, answer: dict[str, Any]) -> Outcome | None:
        if "ready" in answer:
            return None
        if "init_error" in answer:
            self.close()
            return Outcome(None, answer["init_error"], answer["peak_bytes"], alive=False)
        return Outcome(answer.get("result"), answer.get("error"), answer["peak_bytes"], alive=True)

    def _timed_out(self, request_id: str) -> Outcome:
        self.close()
        seconds = f"{self.function.timeout_seconds:.2f}"
        text = f"Task timed out after {seconds} seconds"
        self._on_line(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {request_id} {text}")
        return self._failed("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}")

    def _out_of_memory(self, request_id: str) -> Outcome:
        self.close()
        self._process.wait()
        return self._failed(
            "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        )

    def _ended(self, request_id: str) -> Outcome:
        status = self._process.wait(_OUTPUT_SECONDS)
        if status is None:
            self.close()
            status = self._process.wait()
        how = f"exit status {status}" if status is not None and status >= 0 else _signal_words(status)
        return self._failed("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")

    def _failed(self, kind: str, message: str) -> Outcome:
        return Outcome(None, {"errorType": kind, "errorMessage": message}, self._process.peak_bytes, alive=False)

    def _resident_bytes(self) -> int:
        try:
            return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE_BYTES
        except (OSError, IndexError):
            return 0  # no /proc, or it has just ended: the answer will tell


def folder_of_all(cloud: Cloud) -> Path:
    """Return where the processes' own folders are; what is there at the start was left by a killed daemon."""
    return cloud.directory / "functions" / "processes"


def environment(cloud: Cloud, function: Function, stream: str, folder: Path) -> dict[str, str]:
    """Return the whole environment of a function's process: the template's variables and Lambda's own.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        **function.environment,
        **_credentials(cloud, function),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_REGION": cloud.region,
        "AWS_DEFAULT_REGION": cloud.region,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(function.code),
        "LAMBDA_RUNTIME_DIR": str(Path(__file__).parent),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), "/usr/local/bin", "/usr/bin", "/bin"]),  # noqa: PTH120
    }


def _credentials(cloud: Cloud, function: Function) -> dict[str, str]:
    """The role's keys, for the local cloud only: no setting of the user's own account reaches the function."""
    keys = cloud.callers.session(function.role, function.name)
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.session_token,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _signal_words(status: int | None) -> str:
    import signal  # noqa: PLC0415 - seldom needed

    words = {
        signal.SIGKILL: "killed",
        signal.SIGSEGV: "segmentation fault",
        signal.SIGTERM: "terminated",
        signal.SIGABRT: "aborted",
    }
    number = -(status or signal.SIGKILL)
    return f"signal: {words.get(signal.Signals(number), str(number))}"
