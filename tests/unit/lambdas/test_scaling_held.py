"""While a new model of an endpoint that goes to zero is tested, no machine goes."""

from __future__ import annotations

from typing import Any

import pytest

import scale_endpoint.handler as scale
from scale_endpoint import domain
from shared import scaling

VARIANT = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large"}
QUEUE = {"min": 0, "max": 2, "backlog_per_instance": 5, "scale_in_seconds": 300, "scale_out_seconds": 60}
TARGET = {"ResourceId": "endpoint/mw-dev-penguins/variant/AllTraffic", "MinCapacity": 0, "MaxCapacity": 2}


class Account:
    """One endpoint that scales; notes what is registered."""

    def __init__(self, least: int) -> None:
        self.target = {**TARGET, "MinCapacity": least}
        self.registered: list[dict[str, Any]] = []
        self.looks = 0

    def describe_endpoint(self, **_: Any) -> dict[str, str]:
        self.looks += 1
        return {"EndpointStatus": "InService", "EndpointConfigName": "old"}

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"ProductionVariants": [VARIANT]}

    def get_paginator(self, name: str) -> Any:
        account = self

        class Pages:
            def paginate(self, **_: Any) -> list[dict[str, Any]]:
                return [{"ScalableTargets": [account.target]} if "targets" in name else {"ScalingPolicies": []}]

        return Pages()

    def register_scalable_target(self, **request: Any) -> None:
        self.registered.append(request)

    def put_scaling_policy(self, **_: Any) -> dict[str, str]:
        return {"PolicyARN": "arn"}

    def put_metric_alarm(self, **_: Any) -> None:
        pass

    def delete_alarms(self, **_: Any) -> None:
        pass


def account(monkeypatch: pytest.MonkeyPatch, least: int = 0) -> Account:
    made = Account(least)
    monkeypatch.setenv("ENDPOINT_NAME", "mw-dev-penguins")
    for module in (scale, scaling):
        monkeypatch.setattr(module, "client", lambda _: made)
    return made


def test_an_endpoint_that_may_have_no_machine_loses_none_before_its_new_model_is_tested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = account(monkeypatch)
    scale.handler({"action": "prepare", "kind": "async", "variants": [VARIANT]}, None)
    (held,) = found.registered
    assert (held["ResourceId"], held["SuspendedState"]) == (TARGET["ResourceId"], {"DynamicScalingInSuspended": True})
    assert found.looks == 2  # what had begun to go is waited for

    scale.handler({"action": "set", "kind": "async", "variants": [VARIANT], "autoscaling": QUEUE}, None)
    assert found.registered[-1]["SuspendedState"] == {"DynamicScalingInSuspended": False}


@pytest.mark.parametrize(("kind", "least"), [("async", 1), ("realtime", 1)])
def test_one_that_always_has_a_machine_is_left_alone(monkeypatch: pytest.MonkeyPatch, kind: str, least: int) -> None:
    found = account(monkeypatch, least)
    scale.handler({"action": "prepare", "kind": kind, "variants": [VARIANT]}, None)
    assert (found.registered, found.looks) == ([], 1)
    scaling.set_target("mw-dev-penguins", domain.targets("e", [VARIANT], {**QUEUE, "min": least})[0])
    assert "SuspendedState" not in found.registered[-1]


def test_a_variant_that_is_deregistered_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    found = account(monkeypatch)
    monkeypatch.setattr(scaling, "remove_target", lambda *_: True)
    other = {**VARIANT, "InstanceType": "ml.m5.xlarge"}
    scale.handler({"action": "prepare", "kind": "async", "variants": [other]}, None)
    assert found.registered == []
