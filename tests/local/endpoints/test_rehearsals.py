"""How long a baking period lasts, and whose minutes are shorter meanwhile."""

from __future__ import annotations

import pytest

from modelwright.errors import ModelwrightError
from modelwright.local.sagemaker.endpoints.rehearsal import Rehearsals


class FakeCloud:
    """Remembers how long a minute of each alarm is."""

    scaling = ()

    def __init__(self):
        self.services = {"cloudwatch": self}
        self.minutes = {}

    def scaling_by_average(self, resource):
        return [f"{resource}{name}" for name in self.scaling]

    def pace(self, alarms, minute_seconds):
        self.minutes.update(dict.fromkeys(alarms, minute_seconds))


@pytest.fixture
def cloud():
    return FakeCloud()


def test_without_traffic_nothing_is_waited_for(cloud):
    found = Rehearsals(cloud, {})
    assert found.seconds("e", 300) == 0
    assert Rehearsals(cloud, {"MODELWRIGHT_LONGEST_BAKE_SECONDS": "7"}).seconds("e", 300) == 7


def test_with_traffic_it_bakes_in_shorter_minutes(cloud):
    found = Rehearsals(cloud, {})
    found.begin("e")
    assert (found.seconds("e", 300), found.seconds("other", 300)) == (15, 0)
    found.end("e")
    assert found.seconds("e", 300) == 0


def test_a_minute_may_be_as_long_as_one_wants(cloud):
    found = Rehearsals(cloud, {"MODELWRIGHT_MINUTE_SECONDS": "60"})
    found.begin("e")
    assert found.seconds("e", 300) == 300


def test_the_alarms_of_an_update_go_by_the_same_minutes_until_the_last_one_has_ended(cloud):
    found = Rehearsals(cloud, {})
    found.guard("quiet", ["q"])
    found.begin("e")
    found.begin("e")
    found.guard("e", ["errors", "latency"])
    assert cloud.minutes == {"errors": 3.0, "latency": 3.0}
    found.end("e")
    assert cloud.minutes["errors"] == 3.0
    found.end("e")
    assert cloud.minutes == {"errors": 60.0, "latency": 60.0}
    found.begin("e")
    assert cloud.minutes == {"errors": 3.0, "latency": 3.0}


def test_what_scales_by_an_average_goes_by_them_too(cloud):
    cloud.scaling = ("backlog",)
    found = Rehearsals(cloud, {})
    assert found.minute_of("e") == 60.0
    found.begin("e")
    assert (cloud.minutes, found.minute_of("e")) == ({"/endpoint/e/backlog": 3.0}, 3.0)
    found.end("e")
    assert cloud.minutes == {"/endpoint/e/backlog": 60.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODELWRIGHT_MINUTE_SECONDS", "soon"),
        ("MODELWRIGHT_MINUTE_SECONDS", "0"),
        ("MODELWRIGHT_LONGEST_BAKE_SECONDS", "-1"),
    ],
)
def test_times_that_are_none_are_named(cloud, name, value):
    with pytest.raises(ModelwrightError, match=f"{name} is .*{value}"):
        Rehearsals(cloud, {name: value})
