"""How traffic moves between fleets, with alarms that a test sets."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from modelwright.local.sagemaker.endpoints.deployment_rules import steps
from modelwright.local.sagemaker.endpoints.guardrails import Bake, RolledBack, shift
from modelwright.local.sagemaker.hosting.fleet import Fleet, Member, Traffic


class FakeServer:
    """Starts and stops, and remembers that."""

    def __init__(self):
        self.stopped = False

    def start(self):
        pass

    def stop(self, _grace):
        self.stopped = True


class FakeGuard:
    """Fires at its n-th look."""

    def __init__(self, fires_at=None):
        self.looks = 0
        self.fires_at = fires_at

    def check(self):
        self.looks += 1
        if self.looks == self.fires_at:
            raise RolledBack("it fired")


class RecordingTraffic(Traffic):
    """Remembers the shares of each step."""

    def __init__(self):
        super().__init__()
        self.history = []

    def route(self, *shares):
        super().route(*shares)
        self.history.append([round(share, 3) for _, share in shares])


def fleet(name="v", count=1):
    plan = [{"VariantName": name, "InitialVariantWeight": 1.0, "InitialInstanceCount": count}]
    return Fleet(plan, lambda variant, number: Member(variant["VariantName"], str(number), FakeServer()))


def test_a_request_that_outlives_its_fleet_is_counted_by_the_next_one():
    """A shadow's last answers come when the fleet that had it is replaced already."""
    assert fleet("v").count("Shadow") == 0


def config(instances=4):
    return {"ProductionVariants": [{"VariantName": "v", "InitialInstanceCount": instances}]}


def routing(kind, **size):
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 0, **size}}
    }


@pytest.mark.parametrize(
    ("deployment", "shares"),
    [
        (None, [1.0]),
        (routing("ALL_AT_ONCE"), [1.0]),
        (routing("CANARY", CanarySize={"Type": "CAPACITY_PERCENT", "Value": 10}), [0.1, 1.0]),
        (routing("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), [0.25, 1.0]),
        (routing("LINEAR", LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 40}), [0.4, 0.8, 1.0]),
        (routing("LINEAR", LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 50}), [0.5, 1.0]),
        (routing("LINEAR", LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 10}), [n / 10 for n in range(1, 11)]),
    ],
)
def test_the_steps_of_each_kind_end_with_everything(deployment, shares):
    assert steps(deployment, config()) == pytest.approx(shares)


def test_each_step_is_routed_and_looked_at():
    traffic, old, new, guard = RecordingTraffic(), fleet(), fleet(), FakeGuard()
    traffic.route((old, 1.0))
    shift(traffic, new, [0.1, 1.0], Bake(guard, 0, threading.Event()))
    assert traffic.history[1:] == [[0.1, 0.9], [1.0, 0.0]]
    assert (traffic.fleet is new, guard.looks) == (True, 3)


@pytest.mark.parametrize("look", [1, 2, 3])
def test_an_alarm_at_any_look_puts_everything_back(look):
    traffic, old, new = RecordingTraffic(), fleet(), fleet()
    traffic.route((old, 1.0))
    with pytest.raises(RolledBack):
        shift(traffic, new, [0.1, 1.0], Bake(FakeGuard(look), 0, threading.Event()))
    assert (traffic.fleet is old, traffic.history[-1]) == (True, [1.0])


def test_requests_are_shared_as_routed():
    traffic, old, new = Traffic(), fleet("old"), fleet("new")
    traffic.route((new, 0.25), (old, 0.75))
    found = Counter()
    for _ in range(2000):
        with traffic.lend(None) as member:
            found[member.variant] += 1
    assert 350 < found["new"] < 650


def test_instances_take_turns():
    one = fleet(count=3)
    found = Counter()
    for _ in range(9):
        member = one.take(None)
        found[member.stream] += 1
        one.give_back(member)
    assert set(found.values()) == {3}


def test_a_fleet_stops_when_its_requests_have_ended():
    one = fleet()
    member = one.take(None)
    stopping = threading.Thread(target=one.stop, args=(20,))
    stopping.start()
    assert member.server.stopped is False
    one.give_back(member)
    stopping.join(120)
    assert member.server.stopped is True


class WaitingClock:
    """An event that nobody sets; whoever waits for it moves the time on."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    def is_set(self):
        return False

    def wait(self, seconds):
        self.time += seconds
        return False


def bake(guard, clock, seconds, **more):
    return Bake(guard, seconds, clock, now=clock.now, **more)


def test_each_step_bakes_for_its_whole_time_with_an_eye_on_the_alarms():
    traffic, old, new, guard, clock = RecordingTraffic(), fleet(), fleet(), FakeGuard(), WaitingClock()
    traffic.route((old, 1.0))
    stages = []
    shift(traffic, new, [0.1, 1.0], bake(guard, clock, 15.0), stages.append)
    assert (clock.time, guard.looks > 60) == (30.0, True)
    assert stages == ["ActivatingTraffic", "Baking"] * 2


def test_an_alarm_while_it_bakes_ends_it_at_once():
    traffic, old, new, clock = RecordingTraffic(), fleet(), fleet(), WaitingClock()
    traffic.route((old, 1.0))
    with pytest.raises(RolledBack):
        shift(traffic, new, [0.1, 1.0], bake(FakeGuard(6), clock, 15.0))
    assert (clock.time < 3, traffic.fleet is old) == (True, True)


def test_what_would_take_too_long_on_aws_goes_back():
    traffic, old, new = RecordingTraffic(), fleet(), fleet()
    traffic.route((old, 1.0))
    shares = [n / 10 for n in range(1, 11)]
    with pytest.raises(RolledBack, match=r"take 1200 s by now, .* MaximumExecutionTimeoutInSeconds is 1000"):
        shift(traffic, new, shares, bake(FakeGuard(), WaitingClock(), 0.0, interval=300.0, limit=1000.0))
    assert traffic.fleet is old


def test_a_model_that_hangs_is_waited_for_until_it_has_told_something():
    clock, guard = WaitingClock(), FakeGuard()
    late = iter([True] * 10 + [False])
    bake(guard, clock, 5.0, is_late=lambda: next(late)).wait()
    assert clock.time == 10.0
    bake(guard, clock, 5.0, is_late=lambda: True).wait()
    assert 80 <= clock.time <= 90, "not for ever"
    before = clock.time
    bake(guard, clock, 0.0, is_late=lambda: True).wait()
    assert clock.time == before, "without a rehearsal nothing is waited for"


def test_traffic_knows_for_how_long_each_fleets_requests_are_under_way():
    traffic, old, new = Traffic(), fleet("old"), fleet("new")
    traffic.route((new, 1.0))
    assert traffic.oldest(new) == 0.0
    with traffic.lend(None):
        assert (traffic.oldest(new) > 0, traffic.oldest(old)) == (True, 0.0)
    assert traffic.oldest(new) == 0.0


def test_what_was_answered_is_counted_before_a_bake_is_over():
    """On a busy machine the alarms hear of it late, and it was the last that decides."""

    class Late(FakeGuard):
        counted = False

        def check(self):
            super().check()
            if self.counted:
                raise RolledBack("it fired")

    guard, now = Late(), iter(range(100))

    def counted():
        guard.counted = True

    bake = Bake(guard, 1, threading.Event(), counted=counted, now=lambda: float(next(now)))
    with pytest.raises(RolledBack):
        bake.wait()
    Bake(FakeGuard(), 0, threading.Event(), counted=lambda: pytest.fail("nothing was waited for")).wait()
