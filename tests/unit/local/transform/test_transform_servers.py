"""What is asked of a batch transform job's servers when they have been, or are being, stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.sagemaker.jobs.problems import ContainerFailure
from modelwright.local.sagemaker.transform.servers import AnswerProblem, Asking, Containers

if TYPE_CHECKING:
    from pathlib import Path


class Starting:
    """A server that never gets to serve; `stop` ends its start, as killing the process does."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()
        self.problem: Exception = ServerFailed("ended with signal 15")

    def start(self) -> None:
        self.begun.set()
        assert self.ended.wait(30)
        raise self.problem

    def stop(self, _grace_seconds: float) -> None:
        self.ended.set()


class OneServer(Containers):
    """Containers whose only server is a `Starting`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(None, None, folder, print, Asking({}, 1.0, 0))  # type: ignore[arg-type]
        self.one = Starting()

    def _server(self, *_: Any) -> Any:
        return self.one


def test_who_asks_after_the_stop_is_told_that_there_is_no_answer(tmp_path):
    servers = OneServer(tmp_path)
    servers.stop(0)
    assert servers.execution_parameters() == {}
    with pytest.raises(AnswerProblem, match="Unable to get response"):
        servers.ask(b"1\n")


def test_a_server_that_is_stopped_while_it_starts_is_no_failure(tmp_path):
    servers = OneServer(tmp_path)
    threading.Thread(target=lambda: servers.one.begun.wait(30) and servers.stop(0), daemon=True).start()
    servers.start({"Archive": None}, {}, 1)
    assert servers.stopped


def test_nor_is_whatever_else_comes_of_its_stop(tmp_path):
    """Its folder is gone while it is filled, the zygote ends …: the job is Stopped, not Failed."""
    servers = OneServer(tmp_path)
    servers.one.problem = FileNotFoundError("root")
    threading.Thread(target=lambda: servers.one.begun.wait(30) and servers.stop(0), daemon=True).start()
    servers.start({"Archive": None}, {}, 1)
    assert servers.stopped


def test_who_stops_second_returns_when_none_is_left_too(tmp_path):
    """The job's own end must not be written down while StopTransformJob still ends its processes."""
    servers, stopping, go_on = OneServer(tmp_path), threading.Event(), threading.Event()
    left = ["server"]

    class Ending:
        def stop(self, _: float) -> None:
            stopping.set()
            assert go_on.wait(30)
            left.clear()

    servers._servers = [Ending()]
    first = threading.Thread(target=servers.stop)
    first.start()
    assert stopping.wait(30)
    second = threading.Thread(target=servers.stop)
    second.start()
    second.join(0.1)  # it would have come back by now, or a bit later: then the next line fails
    assert second.is_alive()
    go_on.set()
    second.join(30)
    assert (left, second.is_alive()) == ([], False)
    first.join(30)


def test_a_server_that_fails_by_itself_is_one(tmp_path):
    servers = OneServer(tmp_path)
    servers.one.ended.set()
    with pytest.raises(ContainerFailure, match="did not pass the ping health check"):
        servers.start({"Archive": None}, {}, 1)
