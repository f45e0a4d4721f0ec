import pytest

from modelwright.local.monitoring.metrics import Metric
from modelwright.local.monitoring.search import parse_search

SEARCH = """SEARCH('{N,A,B} A="1" NOT MetricName="hidden"', 'Average', 3600)"""


@pytest.mark.parametrize(
    ("metric", "taken"),
    [
        (Metric.of("N", "m", {"A": "1", "B": "x"}), True),
        (Metric.of("N", "hidden", {"A": "1", "B": "x"}), False),
        (Metric.of("N", "m", {"A": "2", "B": "x"}), False),
        (Metric.of("N", "m", {"A": "1"}), False),
        (Metric.of("N", "m", {"A": "1", "B": "x", "C": "y"}), False),
        (Metric.of("M", "m", {"A": "1", "B": "x"}), False),
    ],
)
def test_what_has_exactly_these_dimensions_and_values_is_found(metric, taken):
    found = parse_search(SEARCH)
    assert (found.statistic, found.period) == ("Average", 3600)
    assert found.takes(metric) is taken


@pytest.mark.parametrize("expression", ["SEARCH('AWS/EC2 CPU', 'Average')", "SEARCH('{N,A} A=\"1\" OR x', 'Sum', 60)"])
def test_what_is_not_searched_for_is_refused(expression):
    with pytest.raises(ValueError, match="is not searched for by the local cloud"):
        parse_search(expression)
