"""A command's lease on the local cloud: what it can ask, while it holds it.

The open connection to the daemon is the lease: a command that ends, however it ends, is counted out, and the last one
out stops the local cloud unless it was asked to `keep`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.errors import LocalCloudFailed
from modelwright.local.daemon.control import DIRECTORY, LOG_FILE, Channel, error_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self


@dataclass(frozen=True)
class Keys:
    """The owner's access key."""

    access_key: str
    secret_key: str = field(repr=False)


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
