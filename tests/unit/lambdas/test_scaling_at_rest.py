"""An endpoint that scales just now is waited for: SageMaker refuses an update of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import scale_endpoint.handler as scale

if TYPE_CHECKING:
    import pytest

VARIANTS = [{"VariantName": "AllTraffic", "InstanceType": "ml.m5.large"}]


class Endpoint:
    """Looks at an endpoint that is at rest after so many seconds."""

    def __init__(self, busy_seconds: float) -> None:
        self.busy_seconds = busy_seconds
        self.slept = 0.0

    def describe_endpoint(self, **_: Any) -> dict[str, str]:
        status = "Updating" if self.slept < self.busy_seconds else "InService"
        return {"EndpointStatus": status, "EndpointConfigName": "old"}

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"ProductionVariants": VARIANTS}

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def prepare(monkeypatch: pytest.MonkeyPatch, busy_seconds: float) -> Endpoint:
    endpoint = Endpoint(busy_seconds)
    monkeypatch.setenv("ENDPOINT_NAME", "mw-dev-penguins")
    monkeypatch.setattr(scale, "client", lambda _: endpoint)
    monkeypatch.setattr(scale, "time", endpoint)
    monkeypatch.setattr(scale.scaling, "read_targets", lambda *_: [])
    found = scale.handler({"action": "prepare", "kind": "realtime", "variants": VARIANTS}, None)
    assert found == {"found": True, "targets": [], "retained": {}}
    return endpoint


def test_machines_that_come_just_now_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare(monkeypatch, busy_seconds=200).slept >= 200


def test_an_endpoint_at_rest_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare(monkeypatch, busy_seconds=0).slept == 0


def test_one_that_never_rests_is_given_up_within_the_function_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare(monkeypatch, busy_seconds=1e9).slept <= scale.REST_SECONDS
