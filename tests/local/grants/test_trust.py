"""A role whose trust speaks of another account, or of other resources, is one that nobody can take."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pipeline_scenarios import played
from policy_surgery import policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_stage import Stage

SCENARIOS = {
    "ProcessingRole": ("silent", "FAILED", "EvaluationInvalid"),
    "TrainingRole": ("silent", "FAILED", "EvaluationInvalid"),
    "HostingRole": ("no_model_data", "FAILED", "missing"),
    "StateMachineRole": ("deployed", "made", ""),
    "RuleRole": ("merged", "FAILED", "ReleaseNotFound"),
}
"""The role, what it is needed for, and what is seen of that when all is well."""


@contextmanager
def trusting(stage: Stage, role: str, operator: str, key: str, value: str) -> Iterator[None]:
    """The role's trust with one condition that says something else."""
    mine = {each.name: each for each in policies(stage.cloud) if each.owner == role}
    trust, arn = mine["trust"].document, mine["trust"].arn
    grants = {name: each.document for name, each in mine.items() if name != "trust"}
    (statement,) = trust["Statement"]
    assert key in statement["Condition"][operator]
    other = {**statement["Condition"], operator: {key: value}}
    stage.cloud.iam.put_role(arn, {**trust, "Statement": [{**statement, "Condition": other}]}, grants)
    try:
        yield
    finally:
        stage.cloud.iam.put_role(arn, dict(trust), grants)


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:SourceAccount", "999999999999"),
        ("ArnLike", "aws:SourceArn", "arn:aws:*:*:123456789012:somethingelse/*"),
    ],
)
@pytest.mark.parametrize("role", sorted(SCENARIOS))
def test_nobody_takes_it(stage: Stage, role: str, operator: str, key: str, value: str) -> None:
    scenario, *well = SCENARIOS[role]
    seen: Any = played(stage, scenario)
    assert [seen.outcome, seen.error] == well
    with trusting(stage, role, operator, key, value):
        seen = played(stage, scenario)
        assert [seen.outcome, seen.error] != well


@pytest.mark.parametrize("resource", ["model/*", "endpoint/*"])
def test_of_models_and_endpoints_no_name_is_said(stage: Stage, resource: str) -> None:
    """SageMaker's source is `arn:…:*` then: whoever trusts endpoints by name has an endpoint that does not start."""
    named = f"arn:aws:sagemaker:eu-central-1:123456789012:{resource}"
    with trusting(stage, "HostingRole", "ArnLike", "aws:SourceArn", named):
        assert played(stage, "no_model_data").error != "missing"


@pytest.mark.parametrize(
    ("role", "other"), [("ProcessingRole", "training-job/*"), ("TrainingRole", "processing-job/*")]
)
def test_a_job_of_another_kind_does_not_take_it(stage: Stage, role: str, other: str) -> None:
    named = f"arn:aws:sagemaker:eu-central-1:123456789012:{other}"
    with trusting(stage, role, "ArnLike", "aws:SourceArn", named):
        assert played(stage, "silent").error != "EvaluationInvalid"
