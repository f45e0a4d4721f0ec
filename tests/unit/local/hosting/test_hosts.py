"""Containers of several models, serverless ones, and what is measured of them, when they are stopped meanwhile."""

from __future__ import annotations

import threading

import pytest

from modelwright.local.sagemaker.hosting.fleet import Member
from modelwright.local.sagemaker.hosting.multi_model import MultiModelHost
from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.sagemaker.hosting.serverless import ServerlessHost
from modelwright.local.sagemaker.hosting.usage import _bytes_below, _values


class Server:
    """It starts until it is stopped."""

    given_up, pid = False, 1

    def __init__(self, root=None) -> None:
        self.root = root
        self.starting, self.stopped = threading.Event(), threading.Event()

    @property
    def servers(self):
        return (self,)

    def start(self) -> None:
        self.starting.set()
        assert self.stopped.wait(30)
        raise ServerFailed("It was stopped while it started.")

    def stop(self, _grace=0) -> None:
        self.stopped.set()


def several(server, find=lambda _: None):
    return MultiModelHost(find, lambda *_: server, 2, lambda _: None)


def test_a_model_that_is_being_loaded_is_stopped_with_the_others():
    server = Server()
    host = several(server)
    raised: list[Exception] = []

    def ask() -> None:
        try:
            with host.serving("m.tar.gz"):
                pass
        except ServerFailed as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert server.starting.wait(30)
    host.stop(0)
    assert server.stopped.wait(30)
    asking.join(30)
    assert (len(raised), host.loaded) == (1, [])


def test_a_model_that_is_being_fetched_is_not_loaded_after_the_stop():
    server = Server()
    host = several(server, lambda _: host.stop(0))
    with pytest.raises(ServerFailed, match="the endpoint ends"), host.serving("m.tar.gz"):
        pass
    assert not server.starting.is_set()


def test_nothing_is_loaded_or_started_after_a_stop():
    server = Server()
    serverless = ServerlessHost(lambda: server, 1, 1.0, on_line=print, record=lambda _: None)
    for host in (several(server), serverless):
        host.stop(0)
        with pytest.raises(ServerFailed, match="the endpoint ends"), host.serving("m.tar.gz"):
            pass
    assert not server.starting.is_set()


def test_a_cold_start_that_fails_leaves_nothing():
    server = Server()
    server.start = lambda: (_ for _ in ()).throw(ServerFailed("no module"))
    host = ServerlessHost(lambda: server, 1, 1.0, on_line=print, record=lambda _: None)
    with pytest.raises(ServerFailed, match="no module"), host.serving(None):
        pass
    assert (server.stopped.is_set(), host.servers) == (True, ())


def test_a_server_that_ends_while_it_is_measured_has_no_share_of_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("modelwright.local.sagemaker.hosting.usage.resident_bytes", lambda _: 1 << 20)
    member = Member("v", "s", Server(tmp_path / "gone"))
    assert [name for name, *_ in _values(member)] == ["MemoryUtilization"]
    assert _bytes_below(tmp_path / "gone") == 0


def test_a_file_that_goes_while_it_is_measured_counts_nothing(tmp_path):
    (tmp_path / "kept").write_bytes(b"1234")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    found = _bytes_below(tmp_path)
    assert found == 4 + (tmp_path / "gone").lstat().st_size
