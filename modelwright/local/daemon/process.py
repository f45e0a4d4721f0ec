"""The process that is the local cloud of one project: `python -m modelwright.local.daemon ROOT ENVIRONMENT FD`.

It owns `.modelwright/`, lives while a command is attached (or `up` keeps it), and ends what runs before it ends itself.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.errors import LocalCloudBusy, ModelwrightError
from modelwright.local.daemon.control import DIRECTORY, Channel, Listener, Ownership, error_to_json
from modelwright.local.daemon.users import Users

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.daemon.requests import Requests

log = logging.getLogger(__name__)

_FIRST_CLIENT_SECONDS = 30.0
"""whoever started the daemon joins at once; if it died meanwhile, the daemon does not wait for ever"""

_LONGEST_STOP_SECONDS = 150.0
"""a job that is stopped has 120 s to end (contract of SageMaker's containers)"""


class Daemon:
    """Counts who is attached, and does what they ask over the control socket."""

    def __init__(self, root: Path, environment: str, listener: Listener) -> None:
        self._root = root
        self._environment = environment
        self._listener = listener
        self._users = Users()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._cloud: Cloud
        self._requests: Requests

    def run(self) -> None:
        """Serve until the last client has left or somebody stops it; returns when everything has ended."""
        threading.Thread(target=self._accept, name="control", daemon=True).start()
        gc.disable()  # what a start imports stays: looking through it again takes a third of the time
        try:
            self._open()
        except Exception as error:
            log.exception("the local cloud did not start")
            self._failure = error
        gc.freeze()
        gc.enable()
        self._ready.set()
        if self._failure is None:
            self._end_when_nobody_comes()
            self._stopping.wait()
            self._stop_cloud()
        else:
            self._stopping.wait(_FIRST_CLIENT_SECONDS)  # whoever started it reads why, in answer to its join
        self._listener.close()

    def stop(self) -> None:
        """Begin to end; what a signal's handler may call."""
        self._users.close_from_signal()
        self._stopping.set()

    def _open(self) -> None:
        from modelwright.local.cloud import Cloud  # noqa: PLC0415  # after the socket listens: it takes 0.2 s
        from modelwright.local.daemon.deployed import deploy_again  # noqa: PLC0415
        from modelwright.local.daemon.region import region_of  # noqa: PLC0415
        from modelwright.local.daemon.requests import Requests  # noqa: PLC0415

        began = time.monotonic()
        scripts = sorted(path.parent for path in (self._root / "training_code").glob("*/pipeline.yaml"))
        region = region_of(self._root, self._environment)
        self._cloud = Cloud(self._root / DIRECTORY, region, scripts=scripts)
        self._requests = Requests(self._cloud)
        for what in self._cloud.ended_orphans:
            log.warning("ended %s, which a killed daemon had left", what)
        self._cloud.start()
        log.info("answers at %s after %.2f s", self._cloud.endpoint_url, time.monotonic() - began)
        deploy_again(self._cloud)
        self._cloud.resume()
        log.info("deployed again after %.2f s", time.monotonic() - began)

    def _stop_cloud(self) -> None:
        """End what runs; whatever hangs is left behind after a while (processes of ours end with this one)."""
        faulthandler.dump_traceback_later(_LONGEST_STOP_SECONDS, exit=True)
        began = time.monotonic()
        self._cloud.stop()
        faulthandler.cancel_dump_traceback_later()
        log.info("stopped within %.2f s", time.monotonic() - began)

    def _end_when_nobody_comes(self) -> None:
        def look() -> None:
            if self._users.close_if_unused():
                self._stopping.set()

        timer = threading.Timer(_FIRST_CLIENT_SECONDS, look)
        timer.daemon = True
        timer.start()

    def _accept(self) -> None:
        while (channel := self._listener.accept()) is not None:
            threading.Thread(target=self._serve, args=(channel,), name="client", daemon=True).start()

    def _serve(self, channel: Channel) -> None:
        """One connection: its first message shows the token, its end gives the lease back."""
        try:
            first = channel.receive()
            if first is None or not self._listener.admits(first.get("token")):
                return
            message: dict[str, Any] | None = first
            while message is not None:
                answer = self._answer(channel, message)
                channel.send(answer)
                if answer.get("stopping") or self._failure is not None:
                    self._stopping.set()  # after the answer: this process may be gone a moment later
                    channel.receive()  # held open until this process ends: that is what the client waits for
                    return
                message = channel.receive()
        except (OSError, ValueError):
            log.debug("a client is gone")
        finally:
            self._count_out(channel)
            if not self._stopping.is_set():
                channel.close()

    def _count_out(self, channel: Channel) -> None:
        """A connection has ended: so has what it asked for."""
        if self._ready.is_set() and self._failure is None:
            self._requests.gone(channel)
        if self._users.leave(channel):
            self._stopping.set()

    def _answer(self, channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
        self._ready.wait()
        try:
            if self._failure is not None:
                return {**error_to_json(self._failure), "ending": True}
            return self._do(channel, message)
        except Exception as error:
            if not isinstance(error, ModelwrightError):
                log.exception("the request %s failed", message.get("do"))
            return error_to_json(error)

    def _do(self, channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
        match message["do"]:
            case "join":
                return self._join(channel, message)
            case "leave":
                return {"stopping": self._users.leave(channel)}
            case "status":
                return self._status()
            case "stop":
                return self._stop(force=bool(message["force"]))
            case "keep":
                self._users.keep()
                return {"done": True}
            case _:
                return self._requests.answer(channel, message)

    def _join(self, channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
        self._check_region(message["environment"])
        if not self._users.join(channel, f"{message['command']} (process {message['pid']})"):
            return {"stopping": True}
        owner = self._cloud.callers.owner
        return {
            "endpoint_url": self._cloud.endpoint_url,
            "region": self._cloud.region,
            "access_key": owner.access_key,
            "secret_key": owner.secret_key,
        }

    def _check_region(self, environment: str) -> None:
        """A local cloud is one region: an environment of another one has to wait for its end."""
        if environment == self._environment:
            return
        from modelwright.local.daemon.region import region_of  # noqa: PLC0415  # imported by then

        region = region_of(self._root, environment)
        if region != self._cloud.region:
            raise LocalCloudBusy(
                f"The local cloud is up as {self._cloud.region} (environment {self._environment}); "
                f"the environment {environment} is in {region}.",
                "Stop it first: `modelwright down`.",
            )

    def _status(self) -> dict[str, Any]:
        clients, kept = self._users.seen()
        cloud = self._cloud
        return {
            "endpoint_url": cloud.endpoint_url,
            "region": cloud.region,
            "pid": os.getpid(),
            "kept": kept,
            "clients": clients,
        }

    def _stop(self, *, force: bool) -> dict[str, Any]:
        busy = self._users.close(force=force)
        return {"busy": busy} if busy else {"stopping": True}


def main(arguments: list[str]) -> None:
    """Own the folder and be its local cloud, or say on the pipe that another process owns it."""
    root, environment, pipe = Path(arguments[0]), arguments[1], int(arguments[2])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    os.set_inheritable(pipe, False)
    ownership = Ownership(root / DIRECTORY)
    if not ownership.take():
        os.write(pipe, b"taken\n")
        return
    daemon = Daemon(root, environment, Listener(root / DIRECTORY))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.write(pipe, b"listening\n")
    os.close(pipe)
    daemon.run()
    logging.shutdown()
    os._exit(0)  # threads that still wait for something (a long poll, an interpreter) are not waited for
