"""A model server's process when somebody stops it, or the machine is busy, while it starts."""

from __future__ import annotations

import json
import os
import socket
import threading

import pytest

from modelwright.local.sagemaker.hosting import readiness
from modelwright.local.sagemaker.hosting import server as server_module
from modelwright.local.sagemaker.hosting.server import Server, ServerFailed, ServerSpec


class Process:
    """A process that has inherited the pipe, and says nothing by itself."""

    pid = 1

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.ended = self._ended

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    def say(self, **message: object) -> None:
        os.write(self._pipe, json.dumps(message).encode() + b"\n")

    def kill(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                os.close(self._pipe)
                self._ended.set()

    def terminate(self, grace_seconds: float) -> None:
        self.kill()

    def wait(self, timeout: float | None = None) -> int | None:
        return -9 if self._ended.wait(timeout) else None


class Launcher:
    def __init__(self, problem: Exception | None = None) -> None:
        self.started: list[Process] = []
        self.begun = threading.Event()
        self.problem = problem
        """raised by all starts but the first"""
        self.ready: dict[str, object] | None = None
        """what a process says at once"""

    def start(self, spec, on_line) -> Process:
        if self.started and self.problem:
            raise self.problem
        process = Process(os.dup(spec.pass_fds[0]))
        self.started.append(process)
        if self.ready is not None:
            process.say(**self.ready)
        self.begun.set()
        return process


@pytest.fixture
def launcher():
    made = Launcher()
    yield made
    for process in made.started:
        process.kill()


@pytest.fixture
def server(launcher, tmp_path):
    made = Server(launcher, ServerSpec(tmp_path / "root", None, {}, 600), lambda _: None)
    yield made
    made.stop(0)


def in_thread(action):
    """Run it beside; returns the thread, and a list that gets what it raised."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001  # looked at by the test
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


def test_a_stop_ends_the_start_that_is_under_way(server, launcher, tmp_path):
    thread, raised = in_thread(server.start)
    assert launcher.begun.wait(30)
    server.stop(0)
    thread.join(30)
    assert isinstance(raised[0], ServerFailed)
    assert launcher.started[0].has_ended
    assert not (tmp_path / "root").exists()


def test_none_begins_after_a_stop(server, launcher, tmp_path):
    server.stop(0)
    with pytest.raises(ServerFailed, match="stopped while it started"):
        server.start()
    assert (launcher.started, (tmp_path / "root").exists()) == ([], False)


def test_a_stop_after_the_last_check_leaves_no_process(server, launcher, tmp_path, monkeypatch):
    stops = []

    def ping(*_) -> None:  # it is answered, and the stop comes before the server is known to serve
        stops.append(in_thread(lambda: server.stop(0))[0])
        assert launcher.started[0].ended.wait(30)

    monkeypatch.setattr(server_module, "ping", ping)
    launcher.ready = {"ready": True, "port": 9}
    with pytest.raises(ServerFailed):
        server.start()
    stops[0].join(30)
    assert (server.pid, launcher.started[0].has_ended, (tmp_path / "root").exists()) == (None, True, False)


def test_what_cannot_be_started_again_for_any_reason_is_given_up(server, launcher, monkeypatch):
    monkeypatch.setattr(server_module, "ping", lambda *_: None)
    launcher.ready, launcher.problem = {"ready": True, "port": 9}, ValueError("no such thing")
    server.start()
    launcher.started[0].kill()
    with pytest.raises(ServerFailed, match="cannot be started again: no such thing"):
        server.exchange("GET", "/ping", {}, b"", 30)


def test_a_ping_that_is_answered_too_late_is_asked_again(server, launcher, monkeypatch):
    monkeypatch.setattr(readiness, "PING_SECONDS", 0.05)
    silent: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            silent.append(listening.accept()[0])
            while True:
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread, _ = in_thread(answer)
        launcher.ready = {"ready": True, "port": listening.getsockname()[1]}
        server.start()
        assert (server.pid, len(silent)) == (1, 1)
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(30)
    silent[0].close()
