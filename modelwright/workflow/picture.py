"""The state machine for readers: `docs/state-machine.json` and `docs/state-machine.svg`.

`python -m modelwright.workflow.picture` writes both; a test fails when they are stale.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from typing import Any, Final

from modelwright.workflow.definition import definition
from modelwright.workflow.layout import Edge, Place, edges, failure_path, places
from modelwright.workflow.structure import WorkflowStructure

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 196, 34, 74, 26, 24
COLOURS: Final = {"Task": "#dbeafe", "Choice": "#fef3c7", "Wait": "#ede9fe", "Pass": "#f1f5f9", "Succeed": "#dcfce7"}
FAILED: Final = "#fee2e2"
LETTERS: Final = {"MarkRunFailed": "a", "ReleaseFailedLease": "b", "RestoreEndpoint": "c", "CheckCapacity": ""}
LEGEND: Final = (
    ("Task", "a task: a SageMaker job, an AWS call or a Lambda"),
    ("Choice", "a decision"),
    ("Wait", "a wait"),
    ("Pass", "says what happened"),
    ("Succeed", "a good end"),
)


def _corner(place: Place) -> tuple[int, int]:
    return MARGIN + place.column * (WIDTH + GAP_X), MARGIN + 44 + place.row * (HEIGHT + GAP_Y)


def _box(document: dict[str, Any], name: str, place: Place) -> list[str]:
    state = document["States"][name]
    x, y = _corner(place)
    fill = FAILED if state["Type"] == "Fail" else COLOURS[state["Type"]]
    radius = 17 if state["Type"] in {"Choice", "Succeed", "Fail"} else 5
    title = escape(state.get("Comment", name))
    box = f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="{radius}" fill="{fill}" class="box"/>'
    text = f'<text x="{x + WIDTH // 2}" y="{y + 22}" class="name">{escape(name)}</text>'
    return [f"<g><title>{title}</title>{box}{text}{_badge(document, name, x, y)}</g>"]


def _badge(document: dict[str, Any], name: str, x: int, y: int) -> str:
    """The letter of the place at which this state's errors, or its own decision, enter the failure path."""
    letters = [
        LETTERS[edge.target] for edge in edges(document) if edge.source == name and _into_failure(document, edge)
    ]
    if not letters:
        return ""
    at = f'cx="{x + WIDTH - 2}" cy="{y + HEIGHT - 2}"'
    mark = f'<text x="{x + WIDTH - 2}" y="{y + HEIGHT + 2}" class="mark">{letters[0]}</text>'
    return f'<circle {at} r="8" class="badge"/>{mark}'


def _line(edge: Edge, found: dict[str, Place]) -> str:
    (x1, y1), (x2, y2) = _corner(found[edge.source]), _corner(found[edge.target])
    kind = "catch" if edge.kind == "catch" else "way"
    if x1 == x2 and 0 < y2 - y1 <= 2 * (HEIGHT + GAP_Y):
        middle = x1 + WIDTH // 2
        path = f"M{middle} {y1 + HEIGHT} V{y2 - 3}" if y2 - y1 == HEIGHT + GAP_Y else _arc(x1, y1, x2, y2, left=True)
    elif x1 == x2:
        path = _arc(x1, y1, x2, y2, left=False)
    else:
        path = _across(x1, y1, x2, y2)
    return f'<path d="{path}" class="{kind}" marker-end="url(#tip)"/>'


def _arc(x1: int, y1: int, x2: int, y2: int, *, left: bool) -> str:
    """Around the boxes of a column."""
    side, bend = (x1, -26) if left else (x1 + WIDTH, 26)
    end = x2 - 3 if left else x2 + WIDTH + 3
    start_y, end_y = y1 + HEIGHT // 2, y2 + HEIGHT // 2
    return f"M{side} {start_y} C{side + bend} {start_y} {end + bend} {end_y} {end} {end_y}"


def _across(x1: int, y1: int, x2: int, y2: int) -> str:
    """From the side of one box to the side of another, a little apart from what goes the other way."""
    right = x2 > x1
    start, end = (x1 + WIDTH, x2 - 3) if right else (x1, x2 + WIDTH + 3)
    down, bend = (12, 36) if right else (24, -36)
    return f"M{start} {y1 + down} C{start + bend} {y1 + down} {end - bend} {y2 + down} {end} {y2 + down}"


STYLE: Final = """
.box{stroke:#475569;stroke-width:1}.name{font:600 13px sans-serif;text-anchor:middle;fill:#0f172a}
.way{fill:none;stroke:#475569;stroke-width:1.3}.catch{fill:none;stroke:#dc2626;stroke-width:1.1;stroke-dasharray:4 3}
.badge{fill:#dc2626}.mark{font:700 11px sans-serif;text-anchor:middle;fill:#fff}.note{font:12px sans-serif;fill:#334155}
.part{font:700 13px sans-serif;fill:#b91c1c}
.head{font:700 17px sans-serif;fill:#0f172a}
"""


def _legend(left: int, top: int) -> list[str]:
    lines = []
    for index, (kind, text) in enumerate(LEGEND):
        y = top + 22 * index
        lines.append(f'<rect x="{left}" y="{y}" width="18" height="13" rx="3" fill="{COLOURS[kind]}" class="box"/>')
        lines.append(f'<text x="{left + 26}" y="{y + 11}" class="note">{escape(text)}</text>')
    y = top + 22 * len(LEGEND)
    lines.append(f'<circle cx="{left + 9}" cy="{y + 7}" r="8" class="badge"/>')
    lines.append(f'<text x="{left + 9}" y="{y + 11}" class="mark">a</text>')
    lines.append(
        f'<text x="{left + 26}" y="{y + 11}" class="note">an error leads to this letter in the failure path</text>'
    )
    return lines


def _entries(found: dict[str, Place], failure: list[str]) -> list[str]:
    """The letters beside the states of the failure path at which it is entered."""
    x, y = _corner(found[failure[0]])
    lines = [f'<text x="{x}" y="{y - 12}" class="part">The failure path</text>']
    for name, letter in LETTERS.items():
        if letter and name in found:
            x, y = _corner(found[name])
            lines.append(f'<circle cx="{x - 34}" cy="{y + 17}" r="8" class="badge"/>')
            lines.append(f'<text x="{x - 34}" y="{y + 21}" class="mark">{letter}</text>')
    return lines


def _into_failure(document: dict[str, Any], edge: Edge) -> bool:
    return bool(LETTERS.get(edge.target)) and edge.source not in failure_path(document)


def _drawn(document: dict[str, Any]) -> list[Edge]:
    """The ways that are drawn as lines: one into the failure path is a letter instead."""
    every = edges(document)
    plain = {(edge.source, edge.target) for edge in every if edge.kind != "catch"}
    return [
        edge
        for edge in every
        if not _into_failure(document, edge) and (edge.kind != "catch" or (edge.source, edge.target) not in plain)
    ]


TIP: Final = (
    '<marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto">'
    '<path d="M0 0 L7 3 L0 6 z" fill="#475569"/></marker>'
)


def draw(document: dict[str, Any]) -> str:
    """The picture as SVG: the same text for the same definition."""
    found = places(document)
    corners = [_corner(place) for place in found.values()]
    width, height = max(x for x, _ in corners) + WIDTH + MARGIN, max(y for _, y in corners) + HEIGHT + MARGIN + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{STYLE}</style><defs>{TIP}</defs>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{MARGIN}" y="38" class="head">{escape(document["Comment"])}</text>',
        *_legend(*_corner(Place(1, 5))),
        *(_line(edge, found) for edge in _drawn(document)),
        *(part for name in document["States"] for part in _box(document, name, found[name])),
        *_entries(found, failure_path(document)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def documents() -> dict[str, str]:
    """The generated files by name: of a pipeline with a real-time endpoint, which has every part."""
    document = definition(WorkflowStructure("pipeline", "realtime", compiled=True))
    return {"state-machine.json": json.dumps(document, indent=2) + "\n", "state-machine.svg": draw(document)}


def main(folder: Path) -> None:
    """Write the generated files."""
    for name, text in documents().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs")
