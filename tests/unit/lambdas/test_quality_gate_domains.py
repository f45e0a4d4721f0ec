from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_quality_gate.domain import MetricMissing, decide, floors_missed
from modelwright.config.gate import OPERATORS, parse_clause
from record_metrics.domain import EvaluationInvalid, metric_data, parse_evaluation

URI = "s3://b/evaluation.json"
finite = st.floats(allow_nan=False, allow_infinity=False)


def gate(*texts: str) -> list[dict[str, Any]]:
    return [parse_clause(text).to_dict() for text in texts]


def test_all_clauses_must_pass() -> None:
    found = decide(gate("accuracy >= 0.8", "loss < 0.5"), {"accuracy": 0.9, "loss": 0.6}, None)
    assert found == {
        "passed": False,
        "clauses": [
            {"text": "accuracy >= 0.8", "passed": True, "found": 0.9, "limit": 0.8},
            {"text": "loss < 0.5", "passed": False, "found": 0.6, "limit": 0.5},
        ],
    }


def test_no_clause_is_no_hindrance() -> None:
    assert decide([], {"accuracy": 0.1}, None) == {"passed": True, "clauses": []}


def test_a_clause_about_the_champion_passes_while_there_is_none_and_says_so() -> None:
    found = decide(gate("accuracy >= champion.accuracy - 0.01"), {"accuracy": 0.1}, None)
    assert found["passed"] is True
    assert found["clauses"][0]["note"] == "no champion yet"
    assert found["clauses"][0]["limit"] is None


def test_a_champion_that_has_no_such_metric_is_no_hindrance_and_it_is_said() -> None:
    found = decide(gate("f1 >= champion.f1"), {"f1": 0.1}, {"accuracy": 0.9})
    assert found["clauses"][0]["note"] == "the champion has no metric f1"


def test_the_champion_s_metric_and_what_is_added_to_it_are_the_limit() -> None:
    found = decide(gate("accuracy >= champion.accuracy - 0.01"), {"accuracy": 0.88}, {"accuracy": 0.9})
    assert found["passed"] is False
    assert found["clauses"][0]["limit"] == pytest.approx(0.89)


def test_a_metric_that_was_not_measured_fails_the_run_and_names_what_was() -> None:
    with pytest.raises(
        MetricMissing, match=r"the gate needs f1, which evaluate\.py did not write; it wrote accuracy, auc"
    ):
        decide(gate("f1 > 0"), {"auc": 1.0, "accuracy": 1.0}, None)


@given(st.sampled_from(OPERATORS), finite, st.floats(0, 1e6))
def test_a_clause_means_what_python_means(operator: str, found: float, limit: float) -> None:
    verdict = decide(gate(f"m {operator} {limit!r}"), {"m": found}, None)
    assert verdict["passed"] is eval(f"found {operator} limit")  # noqa: S307 # our own operators


def test_floors_are_numbers_and_not_the_champion() -> None:
    clauses = gate("a >= 0.8", "a >= 0.5", "a >= champion.a", "b < 1")
    verdict = decide(clauses, {"a": 0.6, "b": 2}, {"a": 0.9})
    assert [item["passed"] for item in verdict["clauses"]] == [False, True, False, False]
    assert floors_missed(clauses, verdict["clauses"]) == 2
    assert floors_missed(clauses[2:3], verdict["clauses"][2:3]) == 0


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True), finite, min_size=1))
def test_every_evaluation_that_a_script_writes_is_read(metrics: dict[str, float]) -> None:
    assert parse_evaluation(json.dumps({"metrics": metrics, "confusion": [[1]]}).encode(), URI) == metrics


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no s3://b/evaluation.json; evaluate.py must write"),
        (b"", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[]", "has no metrics"),
        (b'{"metrics": {}}', "has no metrics"),
        (b'{"metrics": {"a": NaN}}', "metric a is nan; it must be a finite number"),
        (b'{"metrics": {"a": true}}', "metric a is true; it must be a number"),
        (b'{"metrics": {"a": "1", "b c": 1}}', "metric a is .*; metric 'b c' must be named"),
        (b'{"metrics": {"a": 1' + b"0" * 400 + b"}}", "metric a is 1000.*; it must be a finite number"),
        (json.dumps({"metrics": {f"m{n}": 1 for n in range(101)}}).encode(), "has 101 metrics; at most 100"),
    ],
)
def test_each_wrong_evaluation_has_its_message(content: bytes | None, message: str) -> None:
    with pytest.raises(EvaluationInvalid, match=message):
        parse_evaluation(content, URI)


@given(st.binary(max_size=100))
def test_any_bytes_are_metrics_or_an_error(content: bytes) -> None:
    with pytest.raises(EvaluationInvalid):
        parse_evaluation(content, URI)


def test_metrics_beyond_cloudwatch_s_range_are_not_sent() -> None:
    found = metric_data({"a": 0.0, "b": 1e-300, "c": 1e300, "d": -0.5}, "penguins", "dev")
    assert [item["MetricName"] for item in found] == ["a", "d"]
    assert found[0]["Dimensions"] == [
        {"Name": "Environment", "Value": "dev"},
        {"Name": "Pipeline", "Value": "penguins"},
    ]
