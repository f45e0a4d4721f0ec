"""What is looked at, and what the report says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelwright.client.checks.report import Accepted, CheckReport, Finding
from modelwright.client.checks.templates import read_templates

if TYPE_CHECKING:
    from pathlib import Path


def test_a_report_says_how_much_was_found_and_accepted() -> None:
    finding = Finding("checkov", "CKV_1", "stack/Bucket", "is open")
    report = CheckReport(
        (finding,), (Accepted("cdk-nag", "S1", "stack/Logs", "it is the log bucket"),), ("cdk-nag", "checkov")
    )
    assert not report.ok
    assert report.summary() == "cdk-nag, checkov: 1 finding, 1 accepted with a reason."
    assert str(finding) == "stack/Bucket: is open (checkov CKV_1)"
    assert str(report.accepted[0]) == "stack/Logs: cdk-nag S1: it is the log bucket"


def test_only_stacks_are_templates(tmp_path: Path) -> None:
    (tmp_path / "a.template.json").write_text('{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}')
    artifacts = {
        "a": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}},
        "a.assets": {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (found,) = read_templates(tmp_path)
    assert (found.stack, [name for name, _ in found.resources()]) == ("a", ["B"])
