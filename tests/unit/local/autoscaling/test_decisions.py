"""How many instances a policy wants, and when it may have them."""

from __future__ import annotations

import pytest

from modelwright.local.autoscaling.decisions import Last, Limits, cooldown, may_scale_in, may_scale_out, step, track


@pytest.mark.parametrize(
    ("value", "current", "wanted"),
    [
        (1000, 2, 2),  # what is tracked is reached
        (1001, 2, 3),
        (2500, 2, 4),  # the most
        (500, 2, 1),
        (1, 4, 1),
        (0, 3, 1),  # the least
        (3000, 0, 3),  # none: all of it waits
    ],
)
def test_target_tracking_keeps_each_instance_at_its_target(value, current, wanted):
    assert track({"TargetValue": 1000.0}, value, Limits(1, 4, current)) == wanted


def test_an_empty_queue_needs_no_instance_where_that_is_allowed():
    assert track({"TargetValue": 5.0}, 0.0, Limits(0, 4, 3)) == 0


STEPS = [
    {"MetricIntervalUpperBound": -10.0, "ScalingAdjustment": -2},
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3},
]


@pytest.mark.parametrize(("breach", "wanted"), [(0.0, 3), (9.9, 3), (10.0, 5), (1000.0, 5), (-5.0, 2), (-10.0, 0)])
def test_a_step_is_chosen_by_how_far_the_threshold_is_passed(breach, wanted):
    configuration = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": STEPS}
    assert step(configuration, breach, Limits(0, 10, 2)) == wanted


@pytest.mark.parametrize(
    ("kind", "adjustment", "least", "current", "wanted"),
    [
        ("ExactCapacity", 7, 0, 2, 7),
        ("PercentChangeInCapacity", 50, 0, 5, 7),  # 2.5 -> 2
        ("PercentChangeInCapacity", 10, 0, 5, 6),  # 0.5 -> 1
        ("PercentChangeInCapacity", 10, 3, 5, 8),
        ("PercentChangeInCapacity", -50, 0, 5, 3),  # -2.5 -> -2
        ("PercentChangeInCapacity", -10, 0, 5, 4),  # -0.5 -> -1
    ],
)
def test_adjustments_of_each_type(kind, adjustment, least, current, wanted):
    configuration = {
        "AdjustmentType": kind,
        "MinAdjustmentMagnitude": least,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment}],
    }
    assert step(configuration, 0.0, Limits(0, 10, current)) == wanted


def test_scaling_out_does_not_wait_for_more_but_waits_for_the_same():
    last = Last(at=100.0, wanted=3)
    assert not may_scale_out(3, 2, last, 60, 130)
    assert may_scale_out(4, 3, last, 60, 130)
    assert may_scale_out(3, 2, last, 60, 160)
    assert not may_scale_out(2, 2, Last(), 60, 0)


@pytest.mark.parametrize(("adjustment", "wanted"), [(2, 3), (3, 4), (1, 3)])
def test_what_cools_down_is_part_of_what_the_next_step_wants(adjustment, wanted):
    """From 1 to 3 for a step of 2: the same step adds nothing, one of 3 adds 1."""
    configuration = {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment}],
    }
    cooling = Last(at=100.0, wanted=3, before=1)
    assert step(configuration, 0.0, Limits(0, 10, 3), cooling) == wanted
    assert step(configuration, 0.0, Limits(0, 10, 3)) == 3 + adjustment


def test_scaling_in_waits():
    last = Last(at=100.0, wanted=3)
    assert not may_scale_in(1, 3, last, 300, 399)
    assert may_scale_in(1, 3, last, 300, 400)
    assert not may_scale_in(3, 3, Last(), 300, 0)


def test_cooldowns_are_five_minutes_unless_said():
    tracking = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0, "ScaleOutCooldown": 60}}
    assert (cooldown(tracking, "Out"), cooldown(tracking, "In")) == (60.0, 300.0)
    assert cooldown({"StepScalingPolicyConfiguration": {}}, "Out") == 300.0
