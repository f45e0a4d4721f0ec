"""Colours and lines that are drawn again, only where a terminal can show them."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios

import pytest
from terminals import FakeTerminal

from modelwright.cli.terminal import Terminal


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_file_gets_whole_plain_lines() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.draw("running", "36")
    terminal.line(terminal.colour("done", "32"))
    terminal.clear()
    assert stream.getvalue() == "done\n"


def test_a_terminal_gets_colours_and_a_line_that_goes() -> None:
    stream = FakeTerminal()
    terminal = Terminal(stream)
    terminal.draw("running", "36")
    assert stream.screen == ["running"]
    terminal.line(terminal.colour("done", "32"))
    assert stream.getvalue() == "\r\033[36mrunning\033[0m\033[K\r\033[K\033[32mdone\033[0m\n"
    assert stream.screen == ["done", ""]


def test_a_shorter_line_leaves_nothing_of_a_longer_one() -> None:
    stream = FakeTerminal()
    terminal = Terminal(stream)
    terminal.draw("a long line", "36")
    terminal.draw("short", "36")
    assert stream.screen == ["short"]


@pytest.mark.parametrize(("name", "value", "colours"), [("NO_COLOR", "1", False), ("NO_COLOR", "", True)])
def test_no_color(monkeypatch: pytest.MonkeyPatch, name: str, value: str, *, colours: bool) -> None:
    monkeypatch.setenv(name, value)
    stream = FakeTerminal()
    terminal = Terminal(stream)
    terminal.draw("running", "36")
    assert ("\033[36m" in stream.getvalue()) is colours
    assert stream.screen == ["running"], "without colours it still moves"


def test_a_dumb_terminal_is_written_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = FakeTerminal()
    terminal = Terminal(stream)
    terminal.draw("running", "36")
    terminal.line(terminal.colour("done", "32"))
    assert stream.getvalue() == "done\n"


@pytest.mark.parametrize(("columns", "shown"), [(10, "012345678"), (1, ""), (0, "0123456789" * 7 + "012345678")])
def test_a_drawn_line_never_fills_the_width_since_it_could_not_be_taken_away(columns: int, shown: str) -> None:
    class Narrow(FakeTerminal):
        def fileno(self) -> int:
            return 0

    class Sized(Terminal):
        def _columns(self) -> int:
            return columns or 80

    stream = Narrow()
    Sized(stream).draw("0123456789" * 20, "36")
    assert stream.screen == [shown]


def test_the_width_is_that_of_the_stream() -> None:
    controller, terminal = os.openpty()
    try:
        with os.fdopen(terminal, "w") as stream:
            fcntl.ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, 12, 0, 0))
            Terminal(stream).draw("0123456789" * 20, "36")
            stream.flush()
            assert os.read(controller, 1000) == b"\r\033[36m01234567890\033[0m\033[K"
    finally:
        os.close(controller)
