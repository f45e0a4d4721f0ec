"""The figures, printed as a table that docs/benchmarks.md takes as it is."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Table:
    """Prints a line as soon as it is known: medians, and for what is compared the lowest and the highest as well."""

    def __init__(self) -> None:
        """Print the head."""
        _line("what", "bare", "ours", "ratio or seconds", "limit")
        _line(":--", "--:", "--:", "--:", "--:")

    def ratio(self, what: str, pairs: Sequence[tuple[float, float]], limit: float) -> None:
        """Print pairs of seconds, bare and ours: the median of their ratios is what counts."""
        base, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        _line(what, f"{base:.2f} s", f"{ours:.2f} s", _spread([other / one for one, other in pairs]), f"{limit:.1f} x")

    def seconds(self, what: str, taken: Sequence[float], limit: float | None) -> None:
        """Print seconds of ours that are compared with nothing, or differences."""
        _line(what, "", "", f"{_spread(taken)} s", "" if limit is None else f"{limit:g} s")

    def peak(self, what: str, mebibytes: float, limit: float) -> None:
        """Print memory."""
        _line(what, "", f"{mebibytes:.0f} MiB", "", f"{limit:.0f} MiB")


def _spread(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):.2f} ({min(figures):.2f} to {max(figures):.2f})"


def _line(what: str, *columns: str) -> None:
    cells = [f"{what:<46}", *(f"{column:>{width}}" for column, width in zip(columns, (8, 8, 22, 8), strict=True))]
    print(f"| {' | '.join(cells)} |", flush=True)
