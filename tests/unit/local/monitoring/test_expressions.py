import pytest

from modelwright.local.monitoring.expressions import check, evaluate
from modelwright.local.monitoring.metrics import statistic_of


def test_a_rate_of_two_metrics():
    assert evaluate("100 * errors / calls", {"errors": {0: 1, 60: 2}, "calls": {0: 4, 60: 0, 120: 5}}) == {0: 25.0}


def test_fill_stands_for_what_is_missing():
    assert evaluate("FILL(errors, 0) / calls", {"errors": {}, "calls": {0: 4}}) == {0: 0.0}


@pytest.mark.parametrize("expression", ["SEARCH('x')", "a ** 2", "ANOMALY_DETECTION_BAND(m)", "a.b", "[1]"])
def test_what_is_not_computed_is_refused(expression):
    with pytest.raises(ValueError, match="not supported"):
        check(expression)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2), ("p99", 4)],
)
def test_statistics(statistic, expected):
    assert statistic_of(statistic, [(3, 1), (1, 1), (4, 1), (2, 1)]) == expected


def test_what_is_no_expression_is_a_value_error_that_shows_it():
    with pytest.raises(ValueError, match=r"'m1 \+' is no metric math expression"):
        check("m1 +")
