"""The command line's way to the local cloud: start it or join it, and leave it.

The open connection to the daemon is the lease: a command that ends, however it ends, is counted out, and the last one
out stops the local cloud unless it was asked to `keep`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.errors import LocalCloudBusy, LocalCloudFailed
from modelwright.local.daemon.control import DIRECTORY, LOG_FILE, Channel, connect, error_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.01
_LOG_BYTES = 1_000_000


@dataclass(frozen=True)
class Keys:
    """The owner's access key."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Status:
    """What a running local cloud says of itself."""

    endpoint_url: str
    region: str
    pid: int
    kept: bool
    """True: `up` keeps it running when nobody uses it"""
    clients: tuple[str, ...]
    """the commands that use it"""


class LocalCloud:
    """A lease on the local cloud; a context manager that gives it back.

    It is being started or joined while the command goes on with its own work: whatever is asked of it first waits until
    it answers, and raises what went wrong (StateUnusable, LocalCloudFailed).
    """

    def __init__(self, join: Callable[[], tuple[Channel, dict[str, Any]]]) -> None:
        """Begin to join, in a thread."""
        self._joined: tuple[Channel, dict[str, Any]] | None = None
        self._failure: BaseException | None = None
        self._settled = threading.Event()  # and not Thread.join: after a Ctrl-C in that, the next one does not wait
        threading.Thread(target=self._run, args=(join,), name="attach", daemon=True).start()

    def ready(self) -> Self:
        """Wait until it answers."""
        self._answering()
        return self

    @property
    def is_settled(self) -> bool:
        """Whether it answers, or it is known that it will not."""
        return self._settled.is_set()

    @property
    def endpoint_url(self) -> str:
        """Where its AWS API is."""
        return str(self._answering()[1]["endpoint_url"])

    @property
    def region(self) -> str:
        """Which region it is."""
        return str(self._answering()[1]["region"])

    @property
    def credentials(self) -> Keys:
        """The owner's keys: whoever has them is not restricted."""
        welcome = self._answering()[1]
        return Keys(welcome["access_key"], welcome["secret_key"])

    def deploy(self, assembly: Path, revive: Sequence[str] = ()) -> dict[str, list[str]]:
        """Deploy a cloud assembly; the names of the stacks that were `created`, `updated` and found `unchanged`.

        `revive`: stacks to make though the user destroyed them before. It is deployed again at each later start.
        """
        report = self._ask({"do": "deploy", "assembly": str(assembly.resolve()), "revive": list(revive)})
        return {kind: report[kind] for kind in ("created", "updated", "unchanged")}

    def keep(self) -> None:
        """Let the local cloud run on when nobody uses it, until `shut_down`."""
        self._ask({"do": "keep"})

    def fire_schedule(self, target: str) -> str:
        """Fire the schedule whose target has this ARN, now; the event's id. ModelwrightError when there is none."""
        return str(self._ask({"do": "fire", "target": target})["event"])

    def github_token(self, repository: str, branch: str) -> str:
        """A token such as GitHub gives to a workflow of this branch; `AssumeRoleWithWebIdentity` takes it."""
        subject = f"repo:{repository}:ref:refs/heads/{branch}"
        return str(self._ask({"do": "token", "subject": subject})["token"])

    def push(self, repository: str, branch: str, commit: str) -> str:
        """Publish CodeCommit's event of a branch that came to this commit; the event's id."""
        return str(self._ask({"do": "push", "repository": repository, "branch": branch, "commit": commit})["event"])

    def rehearse(self, endpoint: str) -> float:
        """Say that requests come to this endpoint until the lease is given back: its updates bake, and alarms watch.

        Returns how many seconds a minute of the baking periods and of their alarms lasts meanwhile.
        """
        return float(self._ask({"do": "rehearse", "endpoint": endpoint})["minute_seconds"])

    def inbox(self) -> dict[str, list[dict[str, Any]]]:
        """The `messages` of topics, and the `dead_letters` of queues, oldest first."""
        return {name: found for name, found in self._ask({"do": "inbox"}).items() if name != "done"}

    def close(self) -> None:
        """Give the lease back; when it was the last one, return when the local cloud has stopped."""
        self._settled.wait()
        if self._joined is None:
            return
        channel, _ = self._joined
        answer = channel.ask({"do": "leave"})
        while answer is not None and "stopping" not in answer:
            answer = channel.receive()  # that was the answer to a request which Ctrl-C broke off
        if answer is not None and answer.get("stopping"):
            channel.receive()  # nothing comes but the end
        channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._answering()[0].ask(request)
        if answer is None:
            raise LocalCloudFailed("The local cloud ended while it was needed.", f"{DIRECTORY}/{LOG_FILE} says why.")
        if "error" in answer:
            raise error_from_json(answer)
        return answer

    def _answering(self) -> tuple[Channel, dict[str, Any]]:
        self._settled.wait()
        if self._joined is None:
            raise self._failure or LocalCloudFailed("The local cloud did not start.")
        return self._joined

    def _run(self, join: Callable[[], tuple[Channel, dict[str, Any]]]) -> None:
        try:
            self._joined = join()
        except BaseException as error:  # noqa: BLE001  # raised in the thread that asks
            self._failure = error
        finally:
            self._settled.set()


def attach(root: Path, environment: str | None = None) -> LocalCloud:
    """Start the local cloud of this project, or join the one that runs; returns at once (see LocalCloud).

    Args:
        root: the project's folder.
        environment: whose region the local cloud is (`environments/<name>.yaml`); by default `MODELWRIGHT_ENV`, or else
            `dev`.
    """
    name = environment or os.environ.get("MODELWRIGHT_ENV", "dev")
    return LocalCloud(lambda: _start_or_join(root, name))


def _start_or_join(root: Path, environment: str) -> tuple[Channel, dict[str, Any]]:
    directory = root / DIRECTORY
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        joined = _join(directory, environment)
        if joined is not None:
            return joined
        if not _start(root, directory, environment):
            time.sleep(_PAUSE_SECONDS)  # another one has the folder: about to listen, or to end
    raise LocalCloudFailed(
        f"The local cloud did not answer within {_PATIENCE_SECONDS:.0f} s.", f"{directory / LOG_FILE} says why."
    )


def status(root: Path) -> Status | None:
    """What the running local cloud says of itself; None when none runs. Starts nothing."""
    answer = _ask_once(root / DIRECTORY, {"do": "status"})
    if answer is None:
        return None
    return Status(answer["endpoint_url"], answer["region"], answer["pid"], answer["kept"], tuple(answer["clients"]))


def shut_down(root: Path, *, force: bool = False) -> bool:
    """Stop the local cloud and return when it has stopped; False when none runs.

    Raises:
        LocalCloudBusy: other commands use it, and `force` is not set.
    """
    directory = root / DIRECTORY
    answer = _ask_once(directory, {"do": "stop", "force": force}, wait_for_end=True)
    if answer is None:
        return False
    if "busy" in answer:
        users = "; ".join(answer["busy"])
        raise LocalCloudBusy(
            f"The local cloud is in use: {users}.",
            "Wait until that has ended, or stop it too: `modelwright down --force`.",
        )
    return True


def _join(directory: Path, environment: str) -> tuple[Channel, dict[str, Any]] | None:
    """Join the daemon that listens; None when there is none, or it is about to end."""
    connected = connect(directory)
    if connected is None:
        return None
    channel, token = connected
    me = {"pid": os.getpid(), "command": _command(), "environment": environment}
    welcome = channel.ask({"do": "join", "token": token, **me})
    if welcome is None or welcome.get("stopping"):
        channel.receive()  # comes back when that process has ended
        channel.close()
        return None
    if "error" in welcome:
        if welcome.get("ending"):
            channel.receive()  # as above: whoever comes next finds no daemon that has failed
        channel.close()
        raise error_from_json(welcome)
    return channel, welcome


def _ask_once(directory: Path, request: dict[str, Any], *, wait_for_end: bool = False) -> dict[str, Any] | None:
    connected = connect(directory)
    if connected is None:
        return None
    channel, token = connected
    try:
        answer = channel.ask({**request, "token": token})
        if wait_for_end and answer is not None and answer.get("stopping"):
            channel.receive()
    finally:
        channel.close()
    if answer is not None and "error" in answer:
        raise error_from_json(answer)
    return answer


def _start(root: Path, directory: Path, environment: str) -> bool:
    """Start a daemon; True when it listens, False when another one has the folder."""
    from modelwright.errors import StateUnusable  # noqa: PLC0415  # beside its use

    try:
        directory.mkdir(exist_ok=True)
        _rotate(directory / LOG_FILE)
        log = (directory / LOG_FILE).open("ab")
    except OSError as error:
        raise StateUnusable(
            f"{directory} cannot be written: {error.strerror}.",
            "The local cloud keeps its state there: make the folder writable, or free some space.",
        ) from error
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "modelwright.local.daemon", str(root.resolve()), environment, str(write_end)]
    with log, os.fdopen(read_end, "rb") as answer:
        begin = log.tell()
        process = subprocess.Popen(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[write_end],
            start_new_session=True,  # Ctrl-C in the terminal is for the command, which then leaves
        )
        os.close(write_end)
        said = answer.readline()
    if said == b"listening\n":
        return True
    process.wait()
    if said != b"taken\n":
        raise LocalCloudFailed(f"The local cloud did not start: {_last_line(directory / LOG_FILE, begin)}")
    return False


def _environment() -> dict[str, str]:
    """The daemon's environment: without settings that lead boto3 to the user's own AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true"}


def _rotate(log: Path) -> None:
    with suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _last_line(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended without a word ({log})"


def _command() -> str:
    """This command, as its user would know it."""
    return " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])[:200]  # noqa: PTH119  # argv[0] may be empty
