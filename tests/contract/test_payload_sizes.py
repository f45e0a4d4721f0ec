"""The table of what travels through the state machine, against the functions that answer it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workflow_answers import Answers, manifest, ready_plan

from modelwright.client.checks.sizes import total
from modelwright.workflow import payload_sizes
from modelwright.workflow.definition import definition
from modelwright.workflow.functions import FUNCTIONS
from modelwright.workflow.structure import WorkflowStructure
from prepare_run import plan
from prepare_run.domain import RunRequest
from record_metrics.domain import MAX_METRICS
from remove_old_models.domain import MOST_AT_ONCE
from remove_old_models.handler import MAX_REASON_CHARACTERS
from shared.errors import InvalidOverride, ReleaseTooLarge


def test_what_prepare_run_refuses_is_what_the_table_says() -> None:
    assert plan.LARGEST == {
        "hyperparameters": payload_sizes.HYPERPARAMETERS,
        "entrypoint": payload_sizes.ENTRYPOINT,
        "gate": payload_sizes.GATE,
        "content_types": payload_sizes.CONTENT_TYPES,
    }
    assert payload_sizes.METRICS == MAX_METRICS * (64 + 4 + payload_sizes.NUMBER)
    assert payload_sizes.REMOVED == 2 * MOST_AT_ONCE
    removed = payload_sizes.ANSWERS["remove_old_models"]
    assert isinstance(removed, dict)
    assert removed["left"] == payload_sizes.REMOVED * 2 * MAX_REASON_CHARACTERS


def within(value: Any, size: Any, path: str) -> list[str]:
    """What of an answer the table does not know, or holds for smaller."""
    if isinstance(size, dict) and isinstance(value, dict):
        unknown = [f"{path}.{name} is not in the table" for name in value.keys() - size.keys()]
        return unknown + [
            text for name in value.keys() & size for text in within(value[name], size[name], f"{path}.{name}")
        ]
    found = len(json.dumps(value, ensure_ascii=False).encode())
    return [] if found <= total(size) else [f"{path} has {found} bytes; the table says {total(size)}"]


def answered() -> dict[str, Any]:
    """By function, what the functions answer in a good run."""
    everything = WorkflowStructure("penguins", "realtime", autoscaling=True, shadow=True, compiled=True)
    states = definition(everything)["States"]
    placeholders = {item.placeholder: item.name for item in FUNCTIONS}
    answers = Answers()
    return {
        placeholders[state["Arguments"]["FunctionName"].strip("${}")]: answers(name, {})["Payload"]
        for name, state in states.items()
        if state.get("Resource", "").endswith("lambda:invoke")
    }


@pytest.mark.parametrize("function", sorted(payload_sizes.ANSWERS))
def test_an_answer_has_no_field_that_the_table_does_not_know(function: str) -> None:
    assert within(answered()[function], payload_sizes.ANSWERS[function], function) == []


def test_a_release_at_its_limits_fits_the_table() -> None:
    values = {f"p{number:02}": "é" * 1020 for number in range(48)}
    texts = [f"{'m' * 200} >= {number}" for number in range(70)]
    gate = [{"left": {"metric": "m"}, "op": ">=", "right": {"number": 0}, "text": text} for text in texts]
    arguments = ["ü" * 150] * 100
    job = manifest()
    found = ready_plan(
        train={**job["train"], "hyperparameters": values},
        process={**job["process"], "arguments": arguments},
        evaluate={**job["evaluate"], "arguments": arguments},
        gate=gate,
    )
    assert within(found, payload_sizes.ANSWERS["prepare_run"], "plan") == []
    assert len(json.dumps(found["train"]["hyperparameters"], ensure_ascii=False).encode()) > 98_000


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"gate": [{"text": "x" * 25_000}]}, "gate has 2"),
        ({"process": {**manifest()["process"], "arguments": ["日" * 256] * 100}}, "process.arguments has"),
        ({"evaluate": {**manifest()["evaluate"], "arguments": ["日" * 256] * 100}}, "evaluate.arguments has"),
        ({"deploy": {**manifest()["deploy"], "content_types": ["a/" + "b" * 2050]}}, "deploy.content_types has"),
    ],
)
def test_a_release_over_a_limit_is_refused_before_anything_is_paid_for(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(ReleaseTooLarge, match=part):
        ready_plan(**changes)


def test_hyperparameters_are_counted_in_bytes_not_characters() -> None:
    """A hundred thousand characters of another script are three times as many bytes, and end the execution."""
    values = {f"p{number:02}": "日" * 1000 for number in range(40)}
    request = RunRequest("a" * 64, "manual", "x", None, None, {})
    with pytest.raises(InvalidOverride, match="bytes of JSON; at most 100000 are possible"):
        plan.hyperparameters(manifest(train={**manifest()["train"], "hyperparameters": values}), request.overrides)
