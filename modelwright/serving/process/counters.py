"""What has been asked and how it went, counted by all workers in memory that they share; `GET /metrics` tells it.

The format is Prometheus's text: https://prometheus.io/docs/instrumenting/exposition_formats/. The names are those of
the endpoint's metrics in CloudWatch, which SageMaker makes itself from the same requests:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_MILLISECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000)
"""of the histogram of ModelLatency"""
_BOUNDS = tuple(int(bound * 1e6) for bound in BOUNDS_MILLISECONDS)
INVOCATIONS, OF_4XX, OF_5XX, MODEL, OVERHEAD, OPEN, ALIVE, BUCKETS = range(8)
"""the places of one worker's numbers: requests, nanoseconds, open connections, whether it serves, then the histogram"""
_FIELDS = BUCKETS + len(_BOUNDS) + 1


class Counters:
    """The numbers of all workers. Each writes its own only, so that nothing has to be locked."""

    def __init__(self, workers: int) -> None:
        """Make room; whoever is forked from this process later shares it."""
        self._numbers = memoryview(mmap.mmap(-1, 8 * _FIELDS * workers)).cast("Q")

    def of(self, worker: int) -> WorkerCounters:
        """Return what one worker counts in; one that comes after another that died counts on."""
        return WorkerCounters(self, worker, self._numbers[_FIELDS * worker : _FIELDS * (worker + 1)])

    def total(self, place: int) -> int:
        """Return a number of all workers."""
        return sum(self._numbers[place::_FIELDS])

    def asked(self, worker: int) -> int:
        """Return a number that is another when somebody has asked this worker something, or is about to."""
        numbers = self._numbers[_FIELDS * worker : _FIELDS * (worker + 1)]
        return int(numbers[INVOCATIONS] + numbers[OPEN])

    def open_connections(self) -> list[tuple[int, int]]:
        """Return each worker that serves, by its number, and how many connections it has."""
        found = zip(self._numbers[OPEN::_FIELDS], self._numbers[ALIVE::_FIELDS], strict=True)
        return [(worker, count) for worker, (count, serves) in enumerate(found) if serves]

    def as_text(self) -> bytes:
        """Return all in Prometheus's text format."""
        return "".join(f"{line}\n" for line in self._lines()).encode()

    def _lines(self) -> Iterator[str]:
        yield from _single("invocations_total", "counter", self.total(INVOCATIONS), "Requests to /invocations.")
        yield from _single("invocation_4xx_errors_total", "counter", self.total(OF_4XX), "Those answered with 4xx.")
        yield from _single("invocation_5xx_errors_total", "counter", self.total(OF_5XX), "Those answered with 5xx.")
        yield from _single("connections", "gauge", self.total(OPEN), "Open connections.")
        yield from _single("workers", "gauge", self.total(ALIVE), "Processes that serve.")
        overhead = "Of the model's latency, what was no prediction: the request on its way in."
        yield from _single("overhead_latency_seconds_total", "counter", self.total(OVERHEAD) / 1e9, overhead)
        yield from self._histogram()

    def _histogram(self) -> Iterator[str]:
        name = "modelwright_model_latency_seconds"
        yield f"# HELP {name} From a request's first byte to its answer: SageMaker's ModelLatency, less the way."
        yield f"# TYPE {name} histogram"
        counts = list(accumulate(self.total(BUCKETS + at) for at in range(len(_BOUNDS) + 1)))
        for bound, count in zip(BOUNDS_MILLISECONDS, counts, strict=False):
            yield f'{name}_bucket{{le="{bound / 1000:g}"}} {count}'
        yield f'{name}_bucket{{le="+Inf"}} {counts[-1]}'
        yield f"{name}_sum {self.total(MODEL) / 1e9:.9f}"
        yield f"{name}_count {counts[-1]}"


class WorkerCounters:
    """What one worker counts in."""

    def __init__(self, everybody: Counters, worker: int, numbers: memoryview) -> None:
        """Use `Counters.of`."""
        self.everybody = everybody
        self.worker = worker
        self.numbers = numbers
        self.serving(False)

    def serving(self, alive: bool) -> None:  # noqa: FBT001  # what it says
        """The worker begins to serve, or has ended."""
        self.numbers[OPEN], self.numbers[ALIVE] = 0, int(alive)

    def count(self, status: int, nanoseconds: int, in_model: int) -> None:
        """Count a request, how long it took, and how long of that the model took."""
        numbers = self.numbers
        numbers[INVOCATIONS] += 1
        if status >= 500:
            numbers[OF_5XX] += 1
        elif status >= 400:
            numbers[OF_4XX] += 1
        numbers[MODEL] += nanoseconds
        numbers[OVERHEAD] += max(0, nanoseconds - in_model)
        numbers[BUCKETS + bisect_left(_BOUNDS, nanoseconds)] += 1

    def count_quick(self, nanoseconds: int) -> None:
        """Count a request that was answered with 200 and was nothing but the model's."""
        numbers = self.numbers
        numbers[INVOCATIONS] += 1
        numbers[MODEL] += nanoseconds
        numbers[BUCKETS + bisect_left(_BOUNDS, nanoseconds)] += 1

    def opened(self) -> None:
        """Count a connection."""
        self.numbers[OPEN] += 1

    def closed(self) -> None:
        """Count one less."""
        self.numbers[OPEN] -= 1

    def ahead(self, packed: int = 0) -> bool:
        """Say whether another worker should take the next connection: one that has fewer.

        `packed`: the first worker gets so many before the second gets one, and so on.
        """
        mine, everybody = self.numbers[OPEN], self.everybody.open_connections()
        if mine >= packed:
            return any(count < mine for _, count in everybody)
        return any(worker < self.worker and count < packed for worker, count in everybody)


def _single(name: str, kind: str, value: float, text: str) -> Iterator[str]:
    yield f"# HELP modelwright_{name} {text}"
    yield f"# TYPE modelwright_{name} {kind}"
    yield f"modelwright_{name} {value}"
