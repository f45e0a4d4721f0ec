"""A function's processes when the local cloud ends at the worst moment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from modelwright.local.functions.events import EventQueue
from modelwright.local.functions.pool import Pool
from modelwright.local.service import AwsError


class Sandbox:
    usable = True

    def __init__(self) -> None:
        self.killed = False

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.kill()


def test_a_process_that_is_started_while_all_are_killed_is_killed_too():
    """Else the daemon's end would wait for this invocation's time-out."""
    sandbox = Sandbox()

    def start(_) -> Sandbox:
        pool.kill()
        return sandbox

    pool = Pool(SimpleNamespace(reserved=None), start)
    with pool.taken(wait=True) as taken:
        assert (taken is sandbox, sandbox.killed) == (True, True)


def test_none_is_started_when_all_were_killed():
    pool = Pool(SimpleNamespace(reserved=None), lambda _: pytest.fail("it was started"))
    pool.kill()
    with pytest.raises(AwsError, match="is being stopped"), pool.taken(wait=True):
        pass


def test_an_event_that_is_cut_off_is_kept_and_not_tried_again():
    documents: dict[str, dict] = {}
    attempts: list[str] = []
    database = SimpleNamespace(
        put=lambda _, key, body: documents.update({key: body}), delete=lambda _, key: documents.pop(key)
    )

    def run(name, payload, request_id):
        attempts.append(name)
        queue.cease()
        return SimpleNamespace(failed=True, payload="killed")

    queue = EventQueue(SimpleNamespace(database=database), run)
    function = SimpleNamespace(name="f", retries=2, dead_letters=None)
    for request in ("1", "2"):
        body = {"function": "f", "payload": b"{}", "request_id": request}
        documents[f"f/{request}"] = body
        queue._deliver(function, body)
    assert (attempts, sorted(documents)) == (["f"], ["f/1", "f/2"])
    queue.stop()
