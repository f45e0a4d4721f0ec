"""Requests that came together, answered with one call of `predict_fn`: which are joined, and whose prediction is whose.

A prediction of a hundred rows costs about what one of a single row costs. A script says with `BATCH = True` that its
`predict_fn` (or the model's `predict`) gives one prediction for each row that it is handed, in their order, and that no
row changes another's prediction.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.serving.model import Answer
from modelwright.serving.problems import Interrupted, RequestError, last_line
from modelwright.serving.scripts.joining import MOST_ROWS, form_of, join, split

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

MOST_REQUESTS = 256
MOST_BYTES = 2 * 1024 * 1024
"""of the bodies of one call: what a script makes of them is in memory at once"""
READING_SECONDS = 0.02
"""so long others are read before those that are read already are answered"""
SLOW_SECONDS = 0.1
SLOWER = 2
"""A call that takes longer than this, and so many times as long as one of the fewest rows, had too many of them: the
next gets half. A model whose calls are slow however few rows they have gains the most by being gathered."""

Outcome = Answer | BaseException


class Steps(Protocol):
    """The three steps of a request."""

    def size(self, prepared: Any) -> int:
        """Return how long a request's body is."""

    def read(self, prepared: Any) -> Any:
        """Return the rows of a request; RequestError."""

    def predict(self, rows: Any, prepared: Any) -> Any:
        """Predict the rows of one request; RequestError."""

    def predict_together(self, rows: Any) -> Any:
        """Predict the joined rows of several; raises whatever the script raises."""

    def write(self, prediction: Any, prepared: Any) -> Answer:
        """Return the answer of a request; RequestError."""


@dataclass
class _Read:
    """A request whose rows are known, and later its prediction."""

    prepared: Any
    rows: Any = None
    prediction: Any = None
    error: BaseException | None = None


class Gathering:
    """Answers requests that came together. Belongs to one thread."""

    def __init__(
        self, steps: Steps, tell: Callable[[str], None], timer: Callable[[], float] = time.perf_counter
    ) -> None:
        """Use these steps; `tell` hears, once, why nothing is gathered any more."""
        self._timer = timer
        self._steps = steps
        self._tell = tell
        self._most_rows = MOST_ROWS
        self._fewest_rows = MOST_ROWS + 1
        self._fewest_seconds = 0.0
        """how long the last call of a request alone took, of those with the fewest rows"""
        self._row_by_row = True

    def answer(self, first: Any, more: Callable[[], Any]) -> list[Outcome]:
        """Answer a request, and those that `more` gives (None: no more), each with its answer or its error."""
        found = [self._read(first)]
        size, until = self._steps.size(first), self._timer() + READING_SECONDS
        while self._row_by_row and len(found) < MOST_REQUESTS and size < MOST_BYTES and self._timer() < until:
            prepared = more()
            if prepared is None:
                break
            found.append(self._read(prepared))
            size += self._steps.size(prepared)
        for group in self._groups([read for read in found if read.error is None]):
            self._predict(group)
        return [self._written(read) for read in found]

    def _read(self, prepared: Any) -> _Read:
        read = _Read(prepared)
        read.rows, read.error = _outcome(lambda: self._steps.read(prepared))
        return read

    def _groups(self, reads: Sequence[_Read]) -> Iterator[list[_Read]]:
        """Yield what is predicted in one call."""
        if len(reads) < 2 or not self._row_by_row:
            yield from ([read] for read in reads)
            return
        open_groups: dict[Hashable, tuple[list[_Read], int]] = {}
        for read in reads:
            form = form_of(read.rows)
            if form is None or form[1] > self._most_rows:
                yield [read]
                continue
            group, rows = open_groups.get(form[0], ([], 0))
            if rows + form[1] > self._most_rows:
                yield group
                group, rows = [], 0
            group.append(read)
            open_groups[form[0]] = (group, rows + form[1])
        yield from (group for group, _ in open_groups.values())

    def _predict(self, group: Sequence[_Read]) -> None:
        """Predict in one call; in two of half the size when it fails, down to the request whose fault it is."""
        if len(group) == 1 or not self._row_by_row:
            for read in group:
                self._predict_alone(read)
            return
        started = self._timer()
        counts = [len(read.rows) for read in group]
        try:
            prediction = self._steps.predict_together(join([read.rows for read in group]))
            seconds = self._timer() - started
            parts = split(prediction, counts)
        except Interrupted:
            raise
        except BaseException:  # noqa: BLE001  # alone it is raised again, and is that request's
            self._most_rows = max(1, sum(counts) // 2)
            self._predict(group[: len(group) // 2])
            self._predict(group[len(group) // 2 :])
            return
        self._adapt(sum(counts), seconds)
        if parts is None:
            self._row_by_row = False
            self._tell(
                f"predict_fn gave {_described(prediction)} for {sum(counts)} rows: BATCH = True is not true of it"
            )
            self._predict(group)
            return
        for read, part in zip(group, parts, strict=True):
            read.prediction = part

    def _predict_alone(self, read: _Read) -> None:
        started = self._timer()
        read.prediction, read.error = _outcome(lambda: self._steps.predict(read.rows, read.prepared))
        if read.error is not None:
            return
        seconds, form = self._timer() - started, form_of(read.rows)
        rows = form[1] if form is not None else MOST_ROWS
        if rows <= self._fewest_rows:
            self._fewest_rows, self._fewest_seconds = rows, seconds
        self._adapt(rows, seconds)

    def _adapt(self, rows: int, seconds: float) -> None:
        """Allow calls more rows after a quick one, fewer after one that was slow for its rows."""
        if seconds <= SLOW_SECONDS:
            self._most_rows = min(MOST_ROWS, self._most_rows * 2)
        elif seconds <= SLOWER * self._fewest_seconds:
            self._most_rows = min(MOST_ROWS, max(self._most_rows, rows * 2))
        else:
            self._most_rows = max(1, rows // 2)

    def _written(self, read: _Read) -> Outcome:
        if read.error is not None:
            return read.error
        answer, error = _outcome(lambda: self._steps.write(read.prediction, read.prepared))
        return answer if error is None else error


def _described(prediction: Any) -> str:
    try:
        return f"{len(prediction)} items in a {type(prediction).__name__}"
    except TypeError:
        return f"a {type(prediction).__name__}"


def _outcome(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return call(), None
    except Interrupted:
        raise
    except RequestError as error:
        return None, error
    except BaseException as error:  # noqa: BLE001  # whatever a script raises is that request's, never the thread's
        return None, RequestError(500, "ModelError", last_line(error))
