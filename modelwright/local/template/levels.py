"""The table of resource types and levels in `docs/local.md`.

`python -m modelwright.local.template.levels` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .registry import handlers

BEGIN, END = "<!-- levels: begin -->", "<!-- levels: end -->"


def levels_table() -> str:
    """Every resource type that the local cloud makes, as a Markdown table."""
    rows = [
        f"| `{handler.type}` | *{handler.level.value}* | {handler.note} |" for _, handler in sorted(handlers().items())
    ]
    return "\n".join(["| resource type | level | what that means here |", "|---|---|---|", *rows])


def with_table(text: str) -> str:
    """The page with its table replaced.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{levels_table()}\n{END}{after}"


def main(path: Path) -> None:
    """Write the table into the page."""
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/local.md"))
