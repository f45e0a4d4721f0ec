"""A stream that says it is a terminal, and what one would show of what was written on it."""

from __future__ import annotations

import io


class FakeTerminal(io.StringIO):
    """Remembers what was written; `screen` is what a terminal shows of it."""

    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> list[str]:
        r"""The lines that are visible, `\r` and `\033[K` obeyed, colours left out."""
        lines = [""]
        column, text = 0, self.getvalue()
        while text:
            if text.startswith("\033[K"):
                lines[-1], text = lines[-1][:column], text[3:]
            elif text.startswith("\033["):
                text = text.partition("m")[2]
            elif text[0] == "\r":
                column, text = 0, text[1:]
            elif text[0] == "\n":
                lines.append("")
                column, text = 0, text[1:]
            else:
                lines[-1] = lines[-1][:column] + text[0] + lines[-1][column + 1 :]
                column, text = column + 1, text[1:]
        return lines
