"""cfn-lint, checkov and parliament: how they are asked, and that silence is no success."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from checked_templates import SNS, machine, task, template

from modelwright.client.checks.checkov import check_checkov
from modelwright.client.checks.lint import check_lint
from modelwright.client.checks.parliament import check_parliament
from modelwright.client.checks.programs import ensure_environment
from modelwright.client.checks.report import Accepted, Collector, Finding
from modelwright.errors import ChecksUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.client.checks.templates import Template


def lint(found: Template) -> Collector:
    collector = Collector()
    check_lint([found], collector)
    return collector


def test_cfn_lint_reads_the_state_machine_and_takes_acceptances_by_place(tmp_path: Path) -> None:
    """One run for both sides: the tool takes two seconds to start."""
    states = {
        "A": {**task(SNS, {"TopicArn": "${TopicArn}", "Message": "m"}), "TimeoutSeconds": "{% $x %}"},
        "B": {**task(SNS, {"TopicArn": "${TopicArn}", "Message": "m"}), "TimeoutSeconds": "{% $y %}"},
    }
    resource = machine(states)
    resource["Properties"]["RoleArn"] = "arn:aws:iam::123456789012:role/x"
    accepted = {"E3601[States/A/TimeoutSeconds]": "an expression", "E3601[States/Z/TimeoutSeconds]": "stale"}
    resource["Metadata"] = {"modelwright": {"cfn-lint": accepted}}
    collector = lint(template(tmp_path, {"Machine": resource, "Topic": {"Type": "AWS::SNS::Topic"}}))
    found = {finding.id: finding for finding in collector.findings}
    assert set(found) == {"E3601[States/B/TimeoutSeconds]", "E3601[States/Z/TimeoutSeconds]"}
    assert found["E3601[States/B/TimeoutSeconds]"].where == "mw-dev-x/Machine"
    assert "not found: take the acceptance away" in found["E3601[States/Z/TimeoutSeconds]"].message
    assert [(item.id, item.reason) for item in collector.accepted] == [
        ("E3601[States/A/TimeoutSeconds]", "an expression")
    ]


def checkov_environment(root: Path, answer: str) -> None:
    (root / "requirements-checks.txt").write_text("")
    folder = root / ".venv-checks"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(os.path.realpath("/bin/sh"))
    (folder / "bin" / "checkov").write_text(f"cat <<'END'\n{answer}\nEND\n")
    (folder / ".complete").write_text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_checkovs_answer_is_read(tmp_path: Path) -> None:
    where = {"file_path": "/x/mw-dev-x.template.json", "resource": "AWS::S3::Bucket.Open"}
    failed = [
        {**where, "check_id": "CKV_AWS_18", "check_name": "Ensure access logs"},
        {**where, "check_id": "CKV_AWS_21", "check_name": "Ensure versions"},
    ]
    answer = {"results": {"failed_checks": failed, "parsing_errors": []}}
    checkov_environment(tmp_path, json.dumps(answer))
    skip = [{"id": "CKV_AWS_21", "comment": "no versions wanted"}, {"id": "CKV_AWS_19", "comment": "not needed now"}]
    bucket = {"Type": "AWS::S3::Bucket", "Metadata": {"checkov": {"skip": skip}}}
    collector = Collector()
    check_checkov(tmp_path / ".venv-checks/bin/python", [template(tmp_path, {"Open": bucket})], collector)
    assert collector.findings == [
        Finding("checkov", "CKV_AWS_18", "mw-dev-x/Open", "Ensure access logs"),
        Finding("checkov", "CKV_AWS_19", "mw-dev-x/Open", "is accepted but not found: take the acceptance away"),
    ]
    assert collector.accepted == [Accepted("checkov", "CKV_AWS_21", "mw-dev-x/Open", "no versions wanted")]


@pytest.mark.parametrize("answer", ["Traceback: broken", '{"passed": 0, "failed": 0}'])
def test_a_checkov_that_looked_at_nothing_has_not_passed(tmp_path: Path, answer: str) -> None:
    checkov_environment(tmp_path, answer)
    with pytest.raises(ChecksUnavailable, match="checkov"):
        check_checkov(tmp_path / ".venv-checks/bin/python", [template(tmp_path, {})], Collector())


def test_a_parliament_that_answers_nothing_has_not_passed(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken >&2\n")
    broken.chmod(0o755)
    with pytest.raises(ChecksUnavailable, match="parliament failed: broken"):
        check_parliament(broken, [template(tmp_path, {})], Collector())


def test_an_environment_of_other_requirements_is_made_anew(tmp_path: Path) -> None:
    checkov_environment(tmp_path, "{}")
    (tmp_path / "requirements-checks.txt").write_text("no-such-package-of-modelwright==0  # not even a hash\n")
    with pytest.raises(ChecksUnavailable, match=r"checkov and parliament could not be installed into \.venv-checks"):
        ensure_environment(tmp_path)
    assert not (tmp_path / ".venv-checks" / ".complete").exists()


def test_without_requirements_there_is_no_checkov(tmp_path: Path) -> None:
    with pytest.raises(ChecksUnavailable, match=r"There is no requirements-checks\.txt"):
        ensure_environment(tmp_path)
