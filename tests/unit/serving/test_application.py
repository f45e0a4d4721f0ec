"""The application with a model of its own, without sockets."""

import asyncio
import threading
import time

import pytest

from modelwright.serving.app import INLINE_BYTES, App
from modelwright.serving.http.messages import Head, Response
from modelwright.serving.http.parsing import Parsed
from modelwright.serving.model import Answer
from modelwright.serving.settings import Settings


class Model:
    execution_parameters = None
    gathers = False

    def __init__(self, *, inline):
        self.inline = inline

    def prepare(self, request):
        return request

    def run(self, request):
        if request.body == b"raise":
            raise KeyError("gone")
        return Answer(threading.current_thread().name.encode(), "text/plain")


def ask(body, *, inline):
    app = App(Model(inline=inline), Settings(), lambda record: None, lambda: None)

    async def answered():
        answer = app.answer(Parsed(Head("POST", "/invocations", {}, started=time.perf_counter()), body))
        return (True, answer) if isinstance(answer, Response) else (False, await answer)

    return asyncio.run(answered())


@pytest.mark.parametrize(
    ("body", "inline", "at_once"),
    [(b"x", True, True), (b"x" * (INLINE_BYTES + 1), True, False), (b"x", False, False)],
)
def test_only_a_quick_model_with_a_small_body_runs_in_the_event_loop(body, inline, at_once):
    found, response = ask(body, inline=inline)
    assert (found, response.status) == (at_once, 200)
    assert (response.body == b"MainThread") is at_once


@pytest.mark.parametrize("inline", [True, False])
def test_whatever_a_model_raises_is_that_requests(inline):
    _, response = ask(b"raise", inline=inline)
    assert (response.status, b"KeyError: 'gone'" in response.body) == (500, True)
