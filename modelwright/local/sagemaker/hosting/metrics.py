"""What is counted of an endpoint's requests: `AWS/SageMaker`.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-endpoint-invocation
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.monitoring.metrics import Metric, Recorded
from modelwright.local.sagemaker.hosting.usage import EVERY_SECONDS, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoints.service import Endpoints
    from modelwright.local.sagemaker.hosting.fleet import Member
    from modelwright.local.sagemaker.hosting.variant import Value

NAMESPACE = "AWS/SageMaker"
MOST_AT_ONCE = 1000
REST = 4
"""times as long as the alarms took to evaluate: with many requests they have a fifth of a core at most"""
LONGEST_REST_SECONDS = 0.5
LONGEST_SETTLING_SECONDS = 30.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answered:
    """A request that a server took; status 0 is one that it did not answer."""

    endpoint: str
    member: Member
    status: int
    model_seconds: float
    overhead_seconds: float


class _Mark(list[Recorded]):
    """Nothing to record: who put it into the queue waits until it has been reached."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()


class EndpointMetrics:
    """Records metrics beside the requests, many at a time: an alarm that is evaluated delays no answer.

    What instances use comes first: requests without it are those that no instance was there for.
    """

    def __init__(self, cloud: Cloud) -> None:
        """Nothing is recorded before `start`."""
        self._cloud = cloud
        self._queue: queue.Queue[list[Recorded] | None] = queue.Queue()
        self._usage = Usage(cloud)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="endpoint-metrics", daemon=True)

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def stop(self) -> None:
        """Record what is left."""
        self._stopped.set()
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def flush(self) -> None:
        """Return when everything that was told is recorded."""
        self._queue.join()

    def settle(self) -> None:
        """Return when what was told until now is recorded, whatever is told meanwhile; after a while in any case."""
        mark = _Mark()
        self._queue.put(mark)
        mark.reached.wait(LONGEST_SETTLING_SECONDS)

    def answered(self, one: Answered) -> None:
        """Record a request that a server took, for the variant, and for its configuration alone.

        With the configuration's name an alarm sees the new machines of an update only:
        https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
        """
        values: list[Value] = [
            ("Invocations", 1.0, "None"),
            ("Invocation4XXErrors", float(400 <= one.status <= 499), "None"),
            ("Invocation5XXErrors", float(one.status >= 500 or one.status == 0), "None"),
            ("ModelLatency", one.model_seconds * 1e6, "Microseconds"),
            ("OverheadLatency", max(0.0, one.overhead_seconds) * 1e6, "Microseconds"),
        ]
        dimensions = of_variant(one.endpoint, one.member.variant)
        serverless = one.member.plan.get("Serverless")
        if serverless:
            values.append(("ServerlessConcurrentExecutionsUtilization", self._in_use(one, serverless), "None"))
            self.tell(dimensions, values)
            return
        values.append(("InvocationModelErrors", float(not 200 <= one.status <= 299), "None"))
        self.tell(dimensions, [*values, ("InvocationsPerInstance", self._per_instance(one), "None")])
        if one.member.config:
            self.tell({**dimensions, "EndpointConfigName": one.member.config}, values)

    def _per_instance(self, one: Answered) -> float:
        services: Mapping[str, Any] = self._cloud.services
        endpoints: Endpoints = services["sagemaker"].endpoints
        fleet = endpoints.running().get(one.endpoint)
        return 1.0 / max(1, 1 if fleet is None else fleet.count(one.member.variant))

    def _in_use(self, one: Answered, serverless: Mapping[str, Any]) -> float:
        """The requests at this moment by the most that there may be.

        https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html, which lists all metrics
        that a serverless endpoint has
        """
        services: Mapping[str, Any] = self._cloud.services
        endpoints: Endpoints = services["sagemaker"].endpoints
        fleet = endpoints.running().get(one.endpoint)
        return (1 if fleet is None else max(1, fleet.in_use(one.member.variant))) / float(serverless["MaxConcurrency"])

    def unanswered(self, endpoint: str, variant: str) -> None:
        """Record a request that no server took: the model answered nothing, so there is no error of its and no time."""
        self.tell(of_variant(endpoint, variant), [("Invocations", 1.0, "None")])

    def tell(self, dimensions: Mapping[str, str], values: list[tuple[str, float, str]]) -> None:
        """Record values (name, value, unit) of now."""
        at = self._cloud.clock.time()
        self._queue.put(
            [Recorded(Metric.of(NAMESPACE, name, dimensions), at, value, unit) for name, value, unit in values]
        )

    def _run(self) -> None:
        while True:
            try:
                items = [self._queue.get(timeout=EVERY_SECONDS)]
            except queue.Empty:
                self._guarded(self._report)
                continue
            items += self._more()
            began = time.perf_counter()
            self._guarded(self._report)
            values = [each for item in items if item is not None for each in item]
            self._guarded(lambda values=values: self._record(values))  # type: ignore[misc]  # bound at once
            for item in items:
                self._queue.task_done()
                if isinstance(item, _Mark):
                    item.reached.set()
            if None in items:
                return
            self._stopped.wait(min(LONGEST_REST_SECONDS, REST * (time.perf_counter() - began)))

    def _more(self) -> list[list[Recorded] | None]:
        """What else waits by now."""
        found: list[list[Recorded] | None] = []
        while len(found) < MOST_AT_ONCE:
            try:
                found.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return found

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:  # noqa: BLE001  # one value that is lost must not end the recording
            _log.exception("a metric of an endpoint was not recorded")

    def _record(self, values: list[Recorded]) -> None:
        services: Mapping[str, Any] = self._cloud.services
        if values:
            services["cloudwatch"].record_all(values)

    def _report(self) -> None:
        services: Mapping[str, Any] = self._cloud.services
        endpoints: Endpoints = services["sagemaker"].endpoints
        for name, fleet in endpoints.running().items():
            self._usage.report(name, fleet)


def of_variant(endpoint: str, variant: str) -> dict[str, str]:
    """Return the dimensions of a variant's metrics."""
    return {"EndpointName": endpoint, "VariantName": variant}
