"""The traffic of `modelwright run --traffic`: begun, shown, summed up."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from modelwright.cli.terminal import Terminal
from modelwright.client.endpoints.endpoint_traffic import Sample, by_configuration, sender
from modelwright.clock import SystemClock
from modelwright.config.folder_files import content_type
from modelwright.errors import NotSupported

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from modelwright.cli.platform import Platform
    from modelwright.client.endpoints.endpoint_traffic import Served
    from modelwright.client.endpoints.traffic import Sender, Tally
    from modelwright.config.pipeline import PipelineSettings

_LINES = 3
_LOOKS, _PAUSE_SECONDS = 20, 0.2


class TrafficShow:
    """What is sent while a run goes on."""

    def __init__(
        self,
        sender: Sender,
        served: Callable[[], list[Served]],
        minute_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Show this sender; `served` asks the endpoint's metrics what each configuration answered."""
        self._sleep = sleep
        self._sender = sender
        self._served = served
        self._minute_seconds = minute_seconds
        self._sum: tuple[Tally, list[Served]] | None = None

    def line(self) -> str:
        """The counts so far, short."""
        tally = self._sender.tally()
        if not tally.sent:
            return "traffic: no endpoint yet"
        variants = {name: counts for name, counts in tally.variants.items() if name}
        shares = "" if len(variants) < 2 else f", {', '.join(f'{n} {c.total()}' for n, c in sorted(variants.items()))}"
        return f"{tally.sent} sent, {tally.kinds['answered']} answered{_bad(tally)}{_latency(tally)}{shares}"

    def finish(self) -> None:
        """End it, with the last answers."""
        self._sender.finish()
        tally = self._sender.tally()
        self._sum = (tally, self._counted(tally.sent - tally.kinds["lost"]))

    def _counted(self, requests: int) -> list[Served]:
        """What each configuration answered, once the metrics have counted so many requests, or after a while."""
        for _ in range(_LOOKS):
            found = self._served()
            if sum(each.requests for each in found) >= requests:
                break
            self._sleep(_PAUSE_SECONDS)
        return found

    def stop(self) -> None:
        """End it at once."""
        self._sender.stop()
        self._sum = (self._sender.tally(), [])

    def print(self) -> None:
        """Print the sum."""
        terminal = Terminal()
        tally, served = self._ended()
        for line in _summary(tally, served, self._sender.lasted):
            terminal.line(f"  {line}")
        if tally.sent:
            terminal.line(f"  a minute of its baking periods and of their alarms lasted {self._minute_seconds:g} s")
        terminal.flush()

    def as_json(self) -> dict[str, Any]:
        """The sum, for `--json`."""
        tally, served = self._ended()
        return {
            "seconds": round(self._sender.lasted, 3),
            "sent": tally.sent,
            "answered": tally.kinds["answered"],
            "errors": dict(tally.problems),
            "lost": tally.kinds["lost"],
            "losses": dict(tally.losses),
            "unanswered": tally.unanswered,
            "p50_seconds": tally.percentile(0.5),
            "p99_seconds": tally.percentile(0.99),
            "variants": {name: dict(counts) for name, counts in tally.variants.items() if name},
            "configurations": [asdict(each) for each in served],
            "minute_seconds": self._minute_seconds,
        }

    def _ended(self) -> tuple[Tally, list[Served]]:
        return self._sum or (self._sender.tally(), [])


@contextmanager
def sending(place: Platform, pipeline: str, rate: float) -> Iterator[TrafficShow]:
    """Send the smoke test's request to the pipeline's endpoint within the block, as soon as it serves."""
    sample = _sample(place.pipeline(pipeline))
    endpoint = place.deployment(pipeline).endpoint_name
    if place.local is None:
        raise NotSupported("Traffic is for the local cloud.")
    minute_seconds = place.local.rehearse(endpoint)
    since, now = SystemClock().now(), SystemClock().now
    found = sender(place.session, endpoint, sample, rate)
    show = TrafficShow(found, lambda: by_configuration(place.session, endpoint, since, now()), minute_seconds)
    found.start()
    try:
        yield show
    finally:
        found.stop()


def _sample(settings: PipelineSettings) -> Sample:
    name = settings.deploy.smoke_test
    if name is None or settings.deploy.endpoint not in {"realtime", "serverless"}:
        raise NotSupported(
            f"--traffic sends requests to an endpoint that answers them; {settings.name} has deploy.endpoint: "
            f"{settings.deploy.endpoint}.",
            "It takes realtime or serverless.",
        )
    return Sample((settings.folder / name).read_bytes(), content_type(name))


def _summary(tally: Tally, served: list[Served], seconds: float) -> Iterator[str]:
    if not tally.sent:
        yield "traffic: nothing was sent, no endpoint served"
        return
    rate = tally.sent / seconds if seconds else 0.0
    yield f"traffic: {tally.sent} requests in {seconds:.0f} s ({rate:.3g} a second), {tally.kinds['answered']} answered"
    yield f"{_lost(tally)}{_latency(tally)}"
    for what, many in _most(tally.problems):
        yield f"errors: {many} times {what}"
    for what, many in _most(tally.losses):
        yield f"lost: {many} times {what}"
    if served:
        yield "the endpoint's own metrics, which count the smoke test and the copies that a shadow gets as well:"
    for each in served:
        yield f"  configuration {each.config}: {each.requests} requests, {each.errors} errors"


def _lost(tally: Tally) -> str:
    lost = tally.kinds["lost"] + tally.unanswered
    return (
        "not one request was lost" if lost == 0 else f"{lost} requests were lost ({tally.unanswered} without any end)"
    )


def _most(found: Counter[str]) -> list[tuple[str, int]]:
    return found.most_common(_LINES)


def _bad(tally: Tally) -> str:
    errors, lost = tally.kinds["error"], tally.kinds["lost"]
    return (f", {errors} errors" if errors else "") + (f", {lost} lost" if lost else "")


def _latency(tally: Tally) -> str:
    half, most = tally.percentile(0.5), tally.percentile(0.99)
    return "" if half is None or most is None else f", p50 {_milliseconds(half)}, p99 {_milliseconds(most)}"


def _milliseconds(seconds: float) -> str:
    """Three figures, but never 6e+04."""
    found = seconds * 1000
    return f"{found:.0f} ms" if found >= 100 else f"{found:.3g} ms"
