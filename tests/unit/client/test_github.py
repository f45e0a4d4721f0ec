"""GitHub's role as the stack says it, and the workflow's text."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from fake_aws import PENGUINS

from modelwright.client.github import Workflow, github_role
from modelwright.errors import NotDeployed

ROLE = "arn:aws:iam::123456789012:role/ml/github"
WORKFLOW = Workflow("penguins", "prod", "eu-west-1", "octo-org/octo-repo", "release/1.x", ROLE, "")


def test_the_role_is_what_the_stack_says() -> None:
    assert github_role(replace(PENGUINS, github_role=ROLE)) == ROLE


def test_a_stack_from_before_has_no_role_and_the_next_step_is_told() -> None:
    with pytest.raises(NotDeployed) as caught:
        github_role(PENGUINS)
    assert str(caught.value) == (
        "The stack mw-dev-penguins has no role for GitHub.\n"
        "Deploy it again: triggers.merge.github in its pipeline.yaml makes one."
    )


def test_each_pipeline_and_environment_has_a_file_of_its_own() -> None:
    assert WORKFLOW.file_name == "modelwright-prod-penguins.yml"
    assert replace(WORKFLOW, environment="dev").file_name != WORKFLOW.file_name


@pytest.mark.parametrize("repository", ["octo-org/octo-repo", "octo-org@12/octo-repo@34"])
def test_ids_are_in_tokens_only(repository: str) -> None:
    found = yaml.safe_load(replace(WORKFLOW, repository=repository).text())
    assert found["jobs"]["publish"]["if"] == "github.repository == 'octo-org/octo-repo'"


def test_its_values_are_where_they_belong() -> None:
    found = yaml.safe_load(WORKFLOW.text())
    assert found[True]["push"]["branches"] == ["release/1.x"]  # YAML 1.1 takes `on` for true
    *_, take, publish = found["jobs"]["publish"]["steps"]
    assert (take["with"]["role-to-assume"], take["with"]["aws-region"]) == (ROLE, "eu-west-1")
    wanted = 'modelwright release penguins --aws --env prod --commit "$GITHUB_SHA" --announce'
    assert publish["run"] == f".venv/bin/{wanted}"
