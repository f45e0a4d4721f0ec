"""The tables of AWS's page on missing data, row by row.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import pytest

from modelwright.local.monitoring.judgement import Judgement, judge

KEPT = "kept"
POINTS = {"0": False, "X": True, "-": None}
THREE_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "0 - - - -": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", KEPT, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", KEPT, "ALARM", "OK"),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
ROWS = [
    (needed, row, treatment, expected)
    for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for row, states in table.items()
    for treatment, expected in zip(TREATMENTS, states, strict=True)
]


@pytest.mark.parametrize(("needed", "row", "treatment", "expected"), ROWS)
def test_the_state_is_that_of_the_page(needed, row, treatment, expected):
    points = [POINTS[letter] for letter in row.split()]
    asked = Judgement(needed, 3, treatment, KEPT)
    assert asked.range == len(points)
    assert judge(points, asked).state == expected


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_one_breaching_point_is_no_alarm_before_it_is_as_old_as_are_needed(row):
    points = [POINTS[letter] for letter in row.split()]
    assert judge(points, Judgement(3, 3, "missing", "OK")).state == "OK"


def test_missing_points_are_filled_in_as_few_times_as_possible():
    verdict = judge([None, True, None, None, True], Judgement(3, 3, "breaching", "OK"))
    assert (verdict.state, verdict.used, verdict.filled) == ("ALARM", (1, 4), 1)
