"""Metrics of endpoints that somebody waits for while more and more come."""

from __future__ import annotations

from types import SimpleNamespace

from modelwright.clock import SystemClock
from modelwright.local.sagemaker.hosting.metrics import EndpointMetrics


def test_settling_waits_for_what_was_told_and_not_for_what_comes_meanwhile():
    recorded: list[float] = []

    def record_all(values) -> None:
        recorded.extend(each.value for each in values)
        metrics.tell({"EndpointName": "e"}, [("Invocations", recorded[-1] + 1, "None")])  # it never ends

    services = {
        "cloudwatch": SimpleNamespace(record_all=record_all),
        "sagemaker": SimpleNamespace(endpoints=SimpleNamespace(running=dict)),
    }
    metrics = EndpointMetrics(SimpleNamespace(services=services, clock=SystemClock()))
    metrics.tell({"EndpointName": "e"}, [("Invocations", 1.0, "None")])
    metrics.start()
    metrics.settle()
    assert recorded[0] == 1.0
    metrics.stop()
