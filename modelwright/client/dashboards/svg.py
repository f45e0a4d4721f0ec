"""A dashboard as a picture: the same text for the same data."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.client.dashboards.data import Board, Line, Panel

COLUMN, ROW, GAP = 50, 34, 8
LETTER = 5.7
"""the width of one of the small ones, generously"""
PALETTE = ("#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2", "#7f7f7f")
RED, GREEN, GREY = "#d62728", "#2ca02c", "#98a2b3"
STATES = {"ALARM": RED, "OK": GREEN, "INSUFFICIENT_DATA": GREY}
STYLE = (
    "text{font:12px system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif;fill:#344054}"
    ".title{font-weight:600;font-size:13px;fill:#101828}.small{font-size:10px;fill:#667085}"
    ".head{font-size:20px;font-weight:600;fill:#101828}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".panel{fill:#fff;stroke:#d0d5dd}.grid{stroke:#eaecf0}.limit{stroke-dasharray:5 3;stroke-width:1.2}"
)


def draw(board: Board) -> str:
    """Return the picture."""
    bottom = max((panel.place[1] + panel.place[3] for panel in board.panels), default=1)
    width, height = 24 * COLUMN + GAP, bottom * ROW + GAP
    parts = [part for panel in board.panels for part in _panel(panel, board)]
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    frame = f'<rect width="{width}" height="{height}" fill="#f2f4f7"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{STYLE}</style>{frame}'
    return "\n".join([head, *parts, "</svg>", ""])


def _panel(panel: Panel, board: Board) -> Iterator[str]:
    x, y, columns, rows = panel.place
    left, top = x * COLUMN + GAP, y * ROW + GAP
    width, height = columns * COLUMN - GAP, rows * ROW - GAP
    yield f'<g transform="translate({left} {top})"><rect class="panel" width="{width}" height="{height}" rx="6"/>'
    if panel.title:
        yield _text(12, 20, panel.title, "title")
    kinds = {"text": _words, "alarm": _alarms, "log": _table}
    if panel.kind in kinds:
        yield from kinds[panel.kind](panel, width)
    else:
        yield from _graph(panel, board, width, height)
    yield "</g>"


def _words(panel: Panel, width: int) -> Iterator[str]:
    """A heading, and the text under it without its markup."""
    head, _, rest = panel.text.partition("\n")
    yield _text(14, 30, head.lstrip("# "), "head")
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", rest).replace("`", "")
    for number, line in enumerate(_wrapped(plain, width // 7)):
        yield _text(14, 54 + 17 * number, line)


def _wrapped(text: str, characters: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= characters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _alarms(panel: Panel, width: int) -> Iterator[str]:
    across = 5
    each = (width - 24) / across
    for number, (name, state) in enumerate(panel.alarms):
        x, y = 12 + each * (number % across), 36 + 26 * (number // across)
        colour = STATES[state]
        yield f'<rect x="{_n(x)}" y="{y}" width="{_n(each - 8)}" height="20" rx="4" fill="{colour}" opacity="0.14"/>'
        yield f'<circle cx="{_n(x + 11)}" cy="{y + 10}" r="4.5" fill="{colour}"/>'
        word = "" if state == "OK" else " · on" if state == "ALARM" else " · no data"
        yield _text(x + 22, y + 14, f"{name}{word}")


def _table(panel: Panel, width: int) -> Iterator[str]:
    ends = (12, width - 150, width - 80, width - 14)
    for number, row in enumerate(panel.rows[:11]):
        y = 40 + 14 * number
        for column, (x, cell) in enumerate(zip(ends, row, strict=True)):
            yield _text(x, y, cell, ("small " if number == 0 else "") + ("end" if column else ""))


def _graph(panel: Panel, board: Board, width: int, height: int) -> Iterator[str]:
    lines = [(line, line.colour or PALETTE[number % len(PALETTE)]) for number, line in enumerate(panel.lines)]
    drawn = [(line, colour) for line, colour in lines if line.points]
    plot = _Plot(panel, board, [line for line, _ in drawn], width, height)
    yield from plot.axes()
    for label, value in panel.limits:
        yield from plot.limit(label, value)
    if panel.stacked:
        yield from plot.bars(drawn)
    else:
        for line, colour in drawn:
            yield from plot.line(line, colour)
    if not drawn:
        yield _text(width / 2, height / 2, "no data in this time", "small middle")
    yield from _legend(lines, width, height)


def _legend(lines: Sequence[tuple[Line, str]], width: int, height: int) -> Iterator[str]:
    x, y = 14.0, height - 10
    for line, colour in lines:
        last = f" {_value(line.points[-1][1])}" if line.points else ""
        text = f"{line.label}{last}" + (" (right)" if line.right else "")
        end = x + 26 + LETTER * len(text)
        if end > width:
            yield _text(x, y, "…", "small")
            return
        yield f'<rect x="{_n(x)}" y="{y - 8}" width="9" height="9" rx="2" fill="{colour}"/>'
        yield _text(x + 13, y, text, "small")
        x = end


class _Plot:
    """The area of a graph: where a time and a value lie in it."""

    def __init__(self, panel: Panel, board: Board, lines: Sequence[Line], width: int, height: int) -> None:
        self._left, self._right, self._top, self._bottom = 46, width - 34, 34, height - 44
        self._start, self._end = board.start, board.end
        self._label = str((panel.axis or {}).get("label", ""))
        limits = [value for _, value in panel.limits]
        self._least, self._most = _span(panel, [line for line in lines if not line.right], limits)
        self._most_right = max((value for line in lines if line.right for _, value in line.points), default=0) or 1
        self._has_right = any(line.right for line in lines)

    def axes(self) -> Iterator[str]:
        for value in _ticks(self._least, self._most):
            y = self._y(value)
            yield f'<path class="grid" d="M{self._left} {_n(y)}H{self._right}"/>'
            yield _text(self._left - 6, y + 3.5, _value(value), "small end")
        if self._label:
            yield _text(self._right, self._top - 14, self._label, "small end")
        if self._has_right:
            yield _text(self._right + 6, self._y(self._most) + 3.5, _value(self._most_right), "small")
            yield _text(self._right + 6, self._bottom + 3.5, "0", "small")
        for number in range(5):
            moment = self._start + (self._end - self._start) * number / 4
            form = "%H:%M" if self._end - self._start <= 2 * 86_400 else "%d %b"
            shown = datetime.fromtimestamp(moment, UTC).strftime(form)
            yield _text(self._x(moment), self._bottom + 15, shown, "small middle")

    def limit(self, label: str, value: float) -> Iterator[str]:
        y = self._y(value)
        yield f'<path class="limit" d="M{self._left} {_n(y)}H{self._right}" stroke="{RED}"/>'
        yield f'<text x="{self._right}" y="{_n(y - 4)}" class="small end" style="fill:{RED}">{escape(label)}</text>'

    def line(self, line: Line, colour: str) -> Iterator[str]:
        places = [(self._x(at), self._y_right(value) if line.right else self._y(value)) for at, value in line.points]
        path = "L".join(f"{_n(x)} {_n(y)}" for x, y in places)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"/>'
        for x, y in places:
            yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="2.4" fill="{colour}"/>'

    def bars(self, lines: Sequence[tuple[Line, str]]) -> Iterator[str]:
        """One on the other at each time."""
        begun: dict[float, float] = {}
        for line, colour in lines:
            for at, value in line.points:
                low = begun.get(at, 0.0)
                begun[at] = low + value
                y, height = self._y(low + value), self._y(low) - self._y(low + value)
                if value:
                    where = f'x="{_n(self._x(at) - 3.5)}" y="{_n(y)}"'
                    yield f'<rect {where} width="7" height="{_n(height)}" fill="{colour}"/>'

    def _x(self, moment: float) -> float:
        share = (moment - self._start) / ((self._end - self._start) or 1)
        return self._left + (self._right - self._left) * min(1.0, max(0.0, share))

    def _y(self, value: float) -> float:
        return self._bottom - (self._bottom - self._top) * (value - self._least) / (self._most - self._least)

    def _y_right(self, value: float) -> float:
        return self._bottom - (self._bottom - self._top) * value / self._most_right


def _span(panel: Panel, lines: Sequence[Line], limits: Sequence[float]) -> tuple[float, float]:
    axis = panel.axis or {}
    values = [value for line in lines for _, value in line.points]
    if panel.stacked:
        sums: dict[float, float] = {}
        for line in lines:
            for at, value in line.points:
                sums[at] = sums.get(at, 0.0) + value
        values = [0.0, *sums.values()]
    found = [*values, *limits] or [0.0]
    least, most = float(axis.get("min", min(found))), float(axis.get("max", max(found)))
    if least == most:
        most = least + 1
    step = _step(least, most)
    return (least if "min" in axis else math.floor(least / step) * step), math.ceil(most / step - 1e-9) * step


def _ticks(least: float, most: float) -> list[float]:
    step = _step(least, most)
    return [least + step * number for number in range(round((most - least) / step) + 1)]


def _step(least: float, most: float) -> float:
    """A round number of which about four fit between."""
    rough = (most - least) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if rough <= power * factor * 1.0001)


def _value(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{style}>{escape(text)}</text>'
