"""Rolling deployments: fleets that grow and shrink by batches, with alarms that a test sets."""

from __future__ import annotations

import threading

import pytest

from modelwright.local.sagemaker.endpoints.guardrails import Bake, RolledBack
from modelwright.local.sagemaker.endpoints.rolling import Batches, roll
from modelwright.local.sagemaker.hosting.fleet import Fleet, Member, Traffic


class FakeServer:
    """Starts and stops."""

    def start(self):
        pass

    def stop(self, _grace=0):
        pass


class Watch:
    """Remembers at each look how many instances each fleet has; fires at the n-th."""

    def __init__(self, fires_at=None):
        self.seen = []
        self.fleets = ()
        self.fires_at = fires_at

    def check(self):
        self.seen.append(tuple(fleet.count("v") for fleet in self.fleets))
        if len(self.seen) == self.fires_at:
            raise RolledBack("it fired")


class RecordingTraffic(Traffic):
    """Remembers the new fleet's share of each step."""

    def __init__(self):
        super().__init__()
        self.history = []

    def route(self, *shares):
        super().route(*shares)
        self.history.append([round(share, 2) for _, share in shares])


def fleet(count):
    plan = [{"VariantName": "v", "InitialVariantWeight": 1.0, "InitialInstanceCount": count}]
    return Fleet(plan, lambda variant, number: Member(variant["VariantName"], str(number), FakeServer()))


def rolled(old_count, batches, fires_at=None):
    traffic, old, new, watch = RecordingTraffic(), fleet(old_count), fleet(batches.size), Watch(fires_at)
    traffic.route((old, 1.0))
    watch.fleets = (old, new)
    stages = []
    try:
        roll(traffic, new, batches, Bake(watch, 0, threading.Event()), stages.append)
    finally:
        rolled.left = (traffic, old, new, watch, stages)
    return rolled.left


def test_the_new_fleet_grows_as_the_old_one_shrinks():
    traffic, old, new, watch, stages = rolled(4, Batches("v", 4, 1, 4))
    assert watch.seen == [(4, 1), (4, 1), (3, 2), (2, 3), (1, 4)]
    assert traffic.history[1:] == [[0.25, 0.75], [0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]
    assert (traffic.fleet is new, old.count("v"), new.count("v")) == (True, 1, 4)
    assert stages == ["ActivatingTraffic", "Baking", *["Creating", "ActivatingTraffic", "Baking"] * 3]


def test_the_last_batch_may_be_smaller():
    traffic, _, new, _, _ = rolled(5, Batches("v", 5, 2, 5))
    assert (traffic.history[1:], new.count("v")) == ([[0.4, 0.6], [0.8, 0.2], [1.0, 0.0]], 5)


@pytest.mark.parametrize(("fires_at", "back"), [(1, 4), (2, 4), (3, 4), (4, 1), (5, 2)])
def test_an_alarm_in_any_batch_brings_the_whole_old_fleet_back(fires_at, back):
    with pytest.raises(RolledBack):
        rolled(4, Batches("v", 4, 1, back), fires_at)
    traffic, old, _, _, _ = rolled.left
    assert (traffic.fleet is old, old.count("v"), traffic.history[-1]) == (True, 4, [1.0])


def test_a_first_deployment_has_everything_at_once():
    traffic, new = RecordingTraffic(), fleet(1)
    roll(traffic, new, Batches("v", 4, 1, 4), Bake(Watch(), 0, threading.Event()))
    assert (traffic.history, new.count("v")) == ([[1.0]], 4)


def test_sizes_are_read_as_they_are_given():
    config = {"ProductionVariants": [{"VariantName": "v", "InitialInstanceCount": 10}]}
    policy = {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}
    assert Batches.of(policy, config) == Batches("v", 10, 2, 10)
    back = {"RollbackMaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 5}}
    assert Batches.of(policy | back, config) == Batches("v", 10, 2, 5)
