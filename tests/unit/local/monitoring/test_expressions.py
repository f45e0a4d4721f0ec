import pytest

from modelwright.local.monitoring.expressions import check, evaluate
from modelwright.local.monitoring.metrics import statistic_of


def series(*values):
    return {60.0 * index: float(value) for index, value in enumerate(values) if value is not None}


def test_a_rate_of_two_metrics_is_dropped_where_it_would_divide_by_zero():
    found = evaluate("100 * errors / calls", {"errors": series(1, 2, None), "calls": series(4, 0, 5)})
    assert found == series(25, None, 0)


def test_what_is_missing_is_zero_where_another_has_a_value_and_missing_where_none_has():
    named = {"a": series(1, None, None), "b": series(None, 2, None)}
    assert evaluate("a + b", named, [0, 60, 120]) == series(1, 2, None)


def test_fill_has_a_value_for_each_period_that_is_asked_for():
    assert evaluate("FILL(errors, 0) / calls", {"errors": {}, "calls": {0: 4}}) == {0: 0.0}
    assert evaluate("FILL(m, 7)", {"m": series(1)}, [0, 60, 120]) == series(1, 7, 7)


PAGE = {"metric1": series(30, 20, 0, 0), "metric2": series(20, None, 20, None)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("metric1 < metric2", (0, 0, 1, 0)),
        ("metric1 >= 30", (1, 0, 0, 0)),
        ("metric1 > 15 AND metric2 > 15", (1, 0, 0, 0)),
        ("metric1 > 15 && metric2 > 15", (1, 0, 0, 0)),
        ("metric1 > 25 OR metric2 > 15", (1, 0, 1, 0)),
    ],
)
def test_comparisons_are_those_of_the_page(expression, expected):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html."""
    assert evaluate(expression, PAGE) == series(*expected)


IF = {"c": series(1, 1, 0, 0, None), "a": series(30, None, 0, 0, 30), "b": series(0, 0, 20, None, 20)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("IF(c, a, b)", (30, 0, 20)), ("IF(c, 5, b)", (5, 5, 20)), ("IF(c, a, 5)", (30, 0, 5, 5)), ("IF(c, a)", (30, 0))],
)
def test_if_is_that_of_the_page(expression, expected):
    assert evaluate(expression, IF) == series(*expected)


def test_numbers_alone_and_powers_and_signs():
    assert evaluate("2 ^ 2 - m", {"m": series(1)}) == series(3)
    assert evaluate("-m", {"m": series(1)}) == series(-1)


@pytest.mark.parametrize(
    "expression",
    ["SEARCH('x')", "ANOMALY_DETECTION_BAND(m)", "a.b", "[1]", "a < b < c", "FILL(m)", "FILL(m, REPEAT=1)", "a % 2"],
)
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


def test_the_largest_of_several_is_of_those_that_there_are():
    assert evaluate("MAX([a, b])", {"a": series(1, 5, None, None), "b": series(2, None, 3, None)}) == series(2, 5, 3)
    with pytest.raises(ValueError, match="not supported"):
        check("MAX(a)")
