import pytest

from modelwright.local.monitoring.metrics import Metric, Metrics
from modelwright.local.store.database import Database

METRIC = Metric.of("N", "M", {"b": "2", "a": "1"})


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path / "state.sqlite3")
    yield made
    made.close()


def test_values_come_in_the_order_of_time_whenever_they_were_recorded(database):
    metrics = Metrics(database)
    for at in (30.0, 10.0):
        metrics.record(METRIC, at, at, "Count")
    assert [at for at, _, _ in metrics.values(METRIC, 0, 100)] == [10.0, 30.0]
    metrics.record(METRIC, 20.0, 20.0, "Count", 3)
    assert metrics.values(METRIC, 10.0, 30.0) == [(10.0, 10.0, 1), (20.0, 20.0, 3)]


def test_what_was_recorded_before_a_restart_counts_with_what_comes_after(database):
    Metrics(database).record(METRIC, 10.0, 1, "Count")
    metrics = Metrics(database)
    metrics.load()
    assert metrics.all() == [METRIC]
    metrics.record(METRIC, 20.0, 2, "Count")
    assert metrics.series(METRIC, "Sum", 60, 0, 60) == {0: 3}
    metrics.record(METRIC, 70.0, 5, "Count")
    assert metrics.series(METRIC, "Sum", 60, 0, 120) == {0: 3, 60: 5}
