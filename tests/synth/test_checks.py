"""`modelwright synth --check` on the project itself, with every validator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.checks import run_checks
from modelwright.client.checks.programs import ENVIRONMENT, REQUIREMENTS, ensure_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_found_that_nobody_accepted(project_copy: Path, assembly: Path) -> None:
    """checkov's and parliament's environment is made in the real project, as `synth --check` does, and linked here."""
    project = (project_copy / "app.py").resolve().parent
    ensure_environment(project)
    for name in (REQUIREMENTS, ENVIRONMENT):
        (project_copy / name).symlink_to(project / name)
    report = run_checks(project_copy, "dev")
    assert [str(finding) for finding in report.findings] == []
    assert report.tools == ("botocore", "cdk", "cdk-nag", "cfn-lint", "checkov", "quotas", "repeatability")
    assert {accepted.tool for accepted in report.accepted} == {"cdk-nag", "cfn-lint", "checkov"}
    assert all(len(accepted.reason) > 10 for accepted in report.accepted)
