"""What a server of the benchmark is: a new one is a subclass of `Server` and a line in `peers.SERVERS`."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .model import Prediction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Body:
    """What is sent to `/invocations`."""

    content_type: str
    content: bytes


@dataclass(frozen=True)
class Place:
    """Where a server runs."""

    python: Path
    """the interpreter of its venv"""
    model: Path
    """a copy of the model folder, its own"""
    trained: Path
    """where the model comes from: with train/ and test/, the data of its training"""
    scratch: Path
    port: int
    workers: int


@dataclass(frozen=True)
class Launch:
    """The processes that are one server, the last of which listens."""

    commands: Sequence[Sequence[object]]
    environment: Mapping[str, str] = field(default_factory=dict)


class Server:
    """One server: how it is started, asked and understood."""

    name: ClassVar[str]
    kind: ClassVar[str] = "peer"
    """`python` and `compiled` are ours, with targets; `floor` predicts nothing"""
    requirements: ClassVar[str | None]
    """`requirements/<this>.txt` makes its venv; None: the project's own venv"""
    formats: ClassVar[tuple[str, ...]] = ("csv", "json")
    tolerance: ClassVar[float] = 1e-6
    """by which a probability may differ from what the model says"""

    def note(self) -> str:
        """Return what a reader must know of how it is run here."""
        return ""

    def lacks(self) -> str:
        """Return what is missing here of what it is elsewhere: verdicts beside it say so."""
        return ""

    def prepare(self, place: Place) -> Launch | None:
        """Return a program that has to have run before the first start."""

    def launch(self, place: Place) -> Launch:
        """Return how it is started."""
        raise NotImplementedError

    def body(self, rows: Rows, form: str) -> Body:
        """Return a request for these rows: CSV without a header, or JSON as `inference.py` takes it."""
        if form == "json":
            return Body("application/json", json.dumps({"instances": rows}).encode())
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(row.values() for row in rows)
        return Body("text/csv", text.getvalue().encode())

    def understand(self, answer: bytes) -> list[Prediction]:
        """Return the predictions of an answer."""
        return [Prediction(row["sex"], row["probability"]) for row in json.loads(answer)["predictions"]]
