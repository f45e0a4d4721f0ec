"""What a stream can show: colours, lines that are drawn again, how wide they may be."""

from __future__ import annotations

import os
import sys
from typing import TextIO


class Terminal:
    """A stream to write on; plain text when it is no terminal.

    `NO_COLOR` (https://no-color.org) takes the colours away, `TERM=dumb` those and the lines that are drawn again.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self._has_colours = self.is_live and not os.environ.get("NO_COLOR")
        self._drawn = False

    def colour(self, text: str, code: str) -> str:
        """The text in a colour, where there are any."""
        return f"\033[{code}m{text}\033[0m" if self._has_colours and text else text

    def line(self, text: str = "") -> None:
        """Write a line that stays."""
        self.clear()
        self.stream.write(f"{text}\n")

    def draw(self, text: str, code: str) -> None:
        """Write a line that goes with the next one; nothing where that cannot be.

        It never fills the terminal's width: a line that wraps could not be taken away.
        """
        if not self.is_live:
            return
        shown = text[: max(self._columns() - 1, 0)]
        self.stream.write(f"\r{self.colour(shown, code)}\033[K")
        self._drawn = True
        self.stream.flush()

    def clear(self) -> None:
        """Take the drawn line away."""
        if self._drawn:
            self.stream.write("\r\033[K")
            self._drawn = False

    def flush(self) -> None:
        """Show what has been written."""
        self.stream.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80
