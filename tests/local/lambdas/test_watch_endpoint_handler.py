"""`WatchEndpoint`: when an update is over, and what it came to."""

from __future__ import annotations

import pytest
from fake_sagemaker import FakeSageMaker, FakeTime, endpoint

import watch_endpoint.handler as watch

pytestmark = pytest.mark.usefixtures("aws")


def test_an_endpoint_is_watched_until_it_serves_the_new_model(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker.endpoint = endpoint("InService", "old")  # the answer is older than the update
    time = FakeTime(sagemaker, endpoint("Updating", "old"), endpoint("Updating", "old"), endpoint("InService", "new"))
    monkeypatch.setattr(watch, "time", time)

    found = watch.handler({"endpoint_config": "new", "polls": 0}, None)
    assert (found["outcome"], found["endpointConfig"]) == ("Serving", "new")
    assert time.slept < 0.1


def test_a_rollback_is_told_as_soon_as_it_is_certain(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker.endpoint = endpoint("InService", "old")
    time = FakeTime(sagemaker)
    monkeypatch.setattr(watch, "time", time)
    assert watch.handler({"endpoint_config": "new", "polls": 0}, None)["outcome"] == "RolledBack"
    assert time.slept > 8

    monkeypatch.setattr(watch, "time", FakeTime(sagemaker))
    assert watch.handler({"endpoint_config": "new", "polls": 1}, None)["outcome"] == "RolledBack"
    assert watch.time.slept == 0


def test_a_slow_deployment_is_waited_for_by_the_state_machine(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker.endpoint = endpoint("Creating", "new")
    monkeypatch.setattr(watch, "time", FakeTime(sagemaker))
    assert watch.handler({"endpoint_config": "new", "polls": 0}, None)["outcome"] == "Waiting"
