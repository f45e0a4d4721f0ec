"""What is said of a batch job: what it reads, how far it is, how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.client.batch.heads import File
    from modelwright.client.batch.progress import Progress


def inputs(files: Sequence[File]) -> str:
    """Say what a job reads."""
    size = sum(file.size - file.skip for file in files)
    return f"{len(files)} {plural(len(files), 'file')}, {_size(size)}"


def live(found: Progress) -> str:
    """Say how far a job is, in the line that is drawn again."""
    done = f"{found.files_done} of {found.files} files, {_size(found.bytes_done)} of {_size(found.bytes)}"
    return f"{found.status}: {rows(found)}{done}, {found.seconds:.0f} s{rate(found)}"


def rows(found: Progress) -> str:
    """Say how many rows were answered, as the beginning of a list; empty when that is not known."""
    if found.rows_done is None:
        return ""
    return f"{'' if found.rows_counted else 'about '}{found.rows_done:,} rows, "


def rate(found: Progress) -> str:
    """Say how fast, as the end of a list; empty when that is not known."""
    rate = found.rows_per_second
    return f", {rate:,.0f} rows/s" if rate else ""


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def plural(count: int, noun: str) -> str:
    """Return the noun for so many."""
    return noun if count == 1 else f"{noun}s"
