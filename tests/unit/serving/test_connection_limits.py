"""What a connection does when its client, or the machine, does not keep up: by a transport that only takes notes."""

import asyncio
import errno
import socket
from types import SimpleNamespace

import pytest

from modelwright.serving.http import connection
from modelwright.serving.http.connection import MOST_WAITING, Connection
from modelwright.serving.http.group import Group
from modelwright.serving.http.messages import Response
from modelwright.serving.process import serve

REQUEST = b"GET /ping HTTP/1.1\r\n\r\n"


class Transport:
    def __init__(self):
        self.calls = []
        self.closing = False
        self.written = b""
        self.aborted = asyncio.Event()
        self.closed = asyncio.Event()

    def write(self, data):
        self.written += data

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")

    def write_eof(self):
        self.calls.append("eof")

    def is_closing(self):
        return self.closing

    def close(self):
        self.calls.append("close")
        self.closing = True
        self.closed.set()

    def abort(self):
        self.calls.append("abort")
        self.closing = True
        self.aborted.set()


class Gated:
    """Answers when its gate is opened; `all_answered` says that `wanted` were."""

    def __init__(self, wanted=1):
        self.gate = asyncio.Event()
        self.all_answered = asyncio.Event()
        self.wanted = wanted
        self.answered = 0

    async def _later(self):
        await self.gate.wait()
        return Response(200)

    def answer(self, request):
        return self._later()

    def ended(self, request, response):
        self.answered += response is not None
        if self.answered == self.wanted:  # the connection does its own first: this is called in the midst of it
            asyncio.get_running_loop().call_soon(self.all_answered.set)


def connect(app, seconds=60.0):
    group = Group(app, 1000, seconds)
    client, transport = Connection(group, asyncio.get_running_loop()), Transport()
    client.connection_made(transport)
    return group, client, transport


def test_many_waiting_requests_stop_the_reading_until_they_are_answered():
    async def run():
        app = Gated(MOST_WAITING + 1)
        _, client, transport = connect(app)
        client.data_received(REQUEST * MOST_WAITING)
        assert transport.calls == []
        client.data_received(REQUEST)
        assert transport.calls == ["pause"]
        app.gate.set()
        await app.all_answered.wait()
        assert transport.calls == ["pause", "resume"]
        assert transport.written.count(b"HTTP/1.1 200 OK") == MOST_WAITING + 1

    asyncio.run(run())


def test_a_client_that_does_not_take_its_answer_is_cut_off():
    async def run():
        _, client, transport = connect(Gated(), seconds=0.01)
        client.pause_writing()
        await transport.aborted.wait()
        assert transport.calls == ["abort"]

    asyncio.run(run())


def test_a_client_that_takes_it_in_time_is_not():
    async def run():
        _, client, transport = connect(Gated())
        client.pause_writing()
        client.resume_writing()
        assert client._unread is None
        assert transport.calls == []

    asyncio.run(run())


def test_while_an_answer_is_not_taken_no_further_one_is_made():
    async def run():
        app = Gated()
        app.gate.set()
        _, client, transport = connect(app)
        client.pause_writing()
        client.data_received(REQUEST)
        await asyncio.sleep(0)
        assert app.answered == 0
        client.resume_writing()
        await app.all_answered.wait()
        assert transport.written.startswith(b"HTTP/1.1 200 OK")

    asyncio.run(run())


@pytest.mark.parametrize("pieces", [1, 2])
def test_who_was_refused_and_does_not_hang_up_is_cut_off(monkeypatch, pieces):
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0)

    async def run():
        _, refused, transport = connect(Gated())
        nonsense = b"nonsense\r\n\r\n"
        for piece in [nonsense] if pieces == 1 else [nonsense[:2], nonsense[2:]]:
            refused.data_received(piece)
        await transport.closed.wait()
        assert transport.calls == ["eof", "close"]

    asyncio.run(run())


def test_connections_that_are_idle_for_long_are_ended_and_busy_ones_are_not():
    async def run():
        group, _, idle = connect(Gated())
        busy_connection, busy = Connection(group, asyncio.get_running_loop()), Transport()
        busy_connection.connection_made(busy)
        busy_connection.data_received(REQUEST)
        group.close_idle(before=0.0)
        assert idle.calls == []
        group.close_idle(before=float("inf"))
        assert (idle.calls, busy.calls) == (["close"], [])

    asyncio.run(run())


def test_where_there_is_no_room_who_has_been_idle_for_longest_goes_first():
    async def run():
        group, _, _ = connect(Gated())
        group.open.clear()
        transports = []
        for number in range(16):
            client, transport = Connection(group, asyncio.get_running_loop()), Transport()
            client.connection_made(transport)
            client.active = -number
            transports.append(transport)
            if number == 15:
                client.data_received(REQUEST)
        group.make_room()
        assert [number for number, transport in enumerate(transports) if transport.closing] == [13, 14]

    asyncio.run(run())


def test_what_does_not_end_in_a_drain_is_aborted():
    async def run():
        group, client, transport = connect(Gated())
        client.data_received(REQUEST)
        group.draining = True
        group.drain()
        assert (transport.calls, group.empty.is_set()) == ([], False)
        group.abort()
        client.connection_lost(None)
        assert (transport.calls, group.empty.is_set()) == (["abort"], True)

    asyncio.run(run())


class Full:
    """A listening socket of a process that may open no more files, or whose network is gone."""

    def accept(self):
        raise OSError(self.errno, "as said")

    def fileno(self):
        return self.inner.fileno()

    def __init__(self, number):
        self.errno = number
        self.inner = socket.socket()
        self.inner.bind(("127.0.0.1", 0))
        self.inner.listen()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENETDOWN])
def test_a_process_that_may_open_no_more_files_waits_before_it_accepts_again(number):
    """Else the event loop would do nothing but fail to accept."""

    async def run():
        loop, listener = asyncio.get_running_loop(), Full(number)
        process = serve._Process(None, SimpleNamespace(), listener)
        process._group, _, idle = connect(Gated())
        loop.add_reader(listener, process._accept)
        assert process._accept() is False
        assert loop.remove_reader(listener) is False, "it is not watched meanwhile"
        assert process._again is not None
        assert idle.closing == (number == errno.EMFILE)
        process._again.cancel()
        listener.inner.close()

    asyncio.run(run())
