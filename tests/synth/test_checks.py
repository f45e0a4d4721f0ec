"""`modelwright synth --check` on the project itself, for each of its environments, with every validator."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.client.checks import run_checks
from modelwright.client.checks.programs import ENVIRONMENT, REQUIREMENTS, ensure_environment
from modelwright.project import environment_names

TOOLS = (
    "authorizations",
    "botocore",
    "cdk",
    "cdk-nag",
    "cfn-lint",
    "checkov",
    "definition",
    "history",
    "lifetimes",
    "parliament",
    "payloads",
    "quotas",
    "repeatability",
)


@pytest.mark.parametrize("environment", environment_names(Path(__file__).parents[2]))
def test_nothing_is_found_that_nobody_accepted(project_copy: Path, environment: str) -> None:
    """checkov's and parliament's environment is made in the real project, as `synth --check` does, and linked here."""
    project = (project_copy / "app.py").resolve().parent
    ensure_environment(project)
    for name in (REQUIREMENTS, ENVIRONMENT):
        if not (project_copy / name).is_symlink():
            (project_copy / name).symlink_to(project / name)
    report = run_checks(project_copy, environment)
    assert [str(finding) for finding in report.findings] == []
    assert report.tools == TOOLS
    assert {accepted.tool for accepted in report.accepted} <= set(TOOLS)
    assert all(len(accepted.reason) > 10 for accepted in report.accepted)
    assert {item.unit for item in report.measures} >= {"bytes", "events", "resources"}
