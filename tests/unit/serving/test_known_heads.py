"""Requests whose heads were seen before: the same answers, in whatever pieces they come."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.app import Known
from modelwright.serving.http.connection import Connection
from modelwright.serving.http.group import Group
from modelwright.serving.http.heads import MOST_KEPT
from modelwright.serving.http.messages import Head, Response, encode

POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%b"
ID = "x-amzn-sagemaker-inference-id"
OTHER_IDS = {"traceparent", "x-amzn-trace-id"}
MORE = [
    b"X-Amzn-SageMaker-Inference-Id: abc",
    b"x-amzn-sagemaker-inference-id: def\r\nTraceparent: 00-1-2-03",
    b"X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    b"X-Amzn-SageMaker-Inference-Id:ghi",
    b"X-Amzn-SageMaker-Inference-Id: j k",
    b'X-Amzn-SageMaker-Inference-Id: "l\\',
    b"X-Amzn-SageMaker-Inference-Id: m\r\nX-Amzn-SageMaker-Inference-Id: n",
    b"X-Amzn-SageMaker-Inference-Id: o\r\n folded",
    b"Traceparent: 1\r\n folded",
    b"A: 1\r\n folded",
]
BODIES = [b"1,2", b"4,5", b"\r\n\r\n", b"", b"POST / HTTP/1.1\r\n\r\n"]
MESSAGES = [
    *[POST % (len(body), body) for body in BODIES],
    b"GET /ping HTTP/1.1\r\n\r\n",
    b"\r\n" + POST % (3, b"7,8"),
    b"\r\n\r\n" + POST % (3, b"7,8"),
    b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n1,2\r\n0\r\n\r\n",
    b"POST /invocations HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n1,2",
    b"POST /invocations HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\n1,2",
    b"POST /invocations HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n1,2",
    b"POST /invocations HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n1,2",
    b"POST /invocations HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\n1,2",
    b"POST /invocations HTTP/1.1\r\nContent-Length: 999\r\n\r\n" + b"1" * 999,
    b"nonsense\r\n\r\n",
    *[POST.replace(b"Host: x", b"Host: x\r\n" + more) % (3, b"1,2") for more in MORE],
]


class Transport:
    def __init__(self):
        self.written = b""
        self.closing = False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True

    def write_eof(self):
        self.written += b"<eof>"


class Echo:
    """Answers with what it was asked; `learns`: also by the head alone."""

    def __init__(self, *, learns=True):
        self.learns = learns
        self.quick = 0

    def known(self, head, length):
        def answer(body, own):
            self.quick += 1
            headers = {name: value for name, value in head.headers.items() if name != ID}
            headers |= {ID: own.decode()} if own else {}
            said = self._said(Head(head.method, head.path, headers), body)
            return encode(said, head, keep_alive=True) if body != b"4,5" else None

        return Known(length, answer) if self.learns else None

    def answer(self, request):
        return self._said(request.head, request.body)

    def ended(self, request, response):
        pass

    def _said(self, head, body):
        headers = sorted((name, value) for name, value in head.headers.items() if name not in OTHER_IDS)
        return Response(200, json.dumps([head.method, head.path, headers, body.decode()]).encode())


def talk(app, pieces):
    async def run():
        group = Group(app, 100, 60)
        connection, transport = Connection(group, asyncio.get_running_loop()), Transport()
        connection.connection_made(transport)
        for piece in pieces:
            if not transport.closing:
                connection.data_received(piece)
        connection.connection_lost(None)
        return transport.written

    return asyncio.run(run())


@settings(deadline=None)  # no test asserts a duration
@given(st.lists(st.sampled_from(MESSAGES), max_size=8), st.data())
def test_any_pieces_give_the_same_answers(messages, data):
    stream = b"".join(messages)
    places = st.integers(0, len(stream)) | st.sampled_from(
        [len(b"".join(messages[:n])) for n in range(len(messages) + 1)]
    )
    cuts = sorted(data.draw(st.lists(places, max_size=20)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) if a != b]
    wanted = talk(Echo(learns=False), [stream] if stream else [])
    assert talk(Echo(), pieces) == wanted
    assert talk(Echo(), messages) == wanted


def test_the_third_of_equal_heads_is_not_parsed():
    app = Echo()
    answers = talk(app, [POST % (3, b"%d,2" % number) for number in range(6)])
    assert app.quick == 4
    assert [f'"{number},2"'.encode() in answers for number in range(6)] == [True] * 6


def test_ids_make_no_other_head():
    app = Echo()
    own = [b"X-Amzn-SageMaker-Inference-Id: %d\r\nTraceparent: 00-%d\r\n" % (number, number) for number in range(6)]
    answers = talk(app, [(POST % (3, b"1,2")).replace(b"Host: x\r\n", b"Host: x\r\n" + ids) for ids in own])
    assert app.quick == 4
    assert [f'["{ID}", "{number}"]'.encode() in answers for number in range(6)] == [True] * 6


def test_heads_that_never_come_again_are_not_kept():
    async def run():
        app = Echo()
        group = Group(app, 100, 60)
        connection = Connection(group, asyncio.get_running_loop())
        connection.connection_made(Transport())
        for number in range(3 * MOST_KEPT):
            connection.data_received(b"POST /invocations HTTP/1.1\r\nX-Mine: %d\r\nContent-Length: 1\r\n\r\n1" % number)
        assert (len(group.heads._known), len(group.heads._seen)) == (0, MOST_KEPT)

    asyncio.run(run())
