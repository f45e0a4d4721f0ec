"""What a synth with all validators leaves behind, and what is made of it. `app.py` is a script of ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.client.checks.policies import PACKS, check_policies
from modelwright.client.checks.report import Accepted, Collector, Finding
from modelwright.errors import SynthFailed

if TYPE_CHECKING:
    from pathlib import Path

APP = """
import json, os, pathlib, sys
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir()
assert os.environ["CDK_VALIDATION"] == "true"
assert json.loads(os.environ["CDK_CONTEXT_JSON"])["modelwright:policy-checks"] is True
report = {report!r}
template = {template!r}
(out / "x.template.json").write_text(template)
stack = dict(type="aws:cloudformation:stack", properties=dict(templateFile="x.template.json"))
(out / "manifest.json").write_text(json.dumps(dict(artifacts=dict(x=stack))))
if report:
    (out / "validation-report.json").write_text(report)
sys.exit({code})
"""


def check(root: Path, report: Any, code: int = 0, resources: Any = None) -> Collector:
    (root / "cdk.json").write_text("{}")
    template = json.dumps({"Resources": resources or {}})
    text = json.dumps(report) if report else ""
    (root / "app.py").write_text(APP.format(report=text, code=code, template=template))
    collector = Collector()
    check_policies(root, "dev", root / "out", collector)
    return collector


def plugin(name: str, **kinds: Any) -> dict[str, Any]:
    return {"pluginName": name, "conclusion": "success", "violations": [], **kinds}


def reports(*given: dict[str, Any]) -> dict[str, Any]:
    """A whole report: the given plug-ins, and those packs that found nothing."""
    names = {item["pluginName"] for item in given}
    return {"pluginReports": [*given, *(plugin(name) for name in PACKS if name not in names)]}


def violation(rule: str, *paths: str, **more: Any) -> dict[str, Any]:
    constructs = [{"constructPath": path} for path in paths]
    return {
        "ruleName": rule,
        "description": f"about {rule}",
        "severity": "warning",
        "violatingConstructs": constructs,
    } | more


def test_each_resource_that_a_rule_is_about_is_a_finding_warnings_too(tmp_path: Path) -> None:
    """CDK's own validation reports even a value that AWS would refuse as a warning, and succeeds."""
    builtin = plugin("CloudFormation Validate", violations=[violation("W3030", "x/A", "x/B")])
    collector = check(tmp_path, reports(builtin))
    assert collector.findings == [
        Finding("cdk", "W3030", "x/A", "about W3030"),
        Finding("cdk", "W3030", "x/B", "about W3030"),
    ]
    assert sorted(collector.tools) == ["cdk", "cdk-nag"]


def test_a_synth_that_fails_for_its_findings_has_been_checked(tmp_path: Path) -> None:
    nag = plugin("AwsSolutions", violations=[violation("AwsSolutions-S1", "x/Open")])
    assert [item.id for item in check(tmp_path, reports(nag), code=1).findings] == ["AwsSolutions-S1"]


def test_what_was_accepted_comes_with_its_reason(tmp_path: Path) -> None:
    accepted = violation("AwsSolutions-SQS3", "x/Dead", reason="it is the dead-letter queue")
    collector = check(tmp_path, reports(plugin("AwsSolutions", suppressedViolations=[accepted])))
    assert collector.findings == []
    assert collector.accepted == [Accepted("cdk-nag", "AwsSolutions-SQS3", "x/Dead", "it is the dead-letter queue")]


def test_a_synth_that_fails_for_another_reason_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(SynthFailed, match=r"app\.py could not make the template of dev"):
        check(tmp_path, None, code=1)


def test_checks_that_did_not_run_have_not_passed(tmp_path: Path) -> None:
    with pytest.raises(SynthFailed, match="the policy checks did not run"):
        check(tmp_path, None)


def test_a_report_of_an_unknown_validator_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SynthFailed, match="is from Stranger, which nothing here reads"):
        check(tmp_path, reports(plugin("Stranger")))


def test_an_acceptance_of_what_no_pack_found_is_a_finding(tmp_path: Path) -> None:
    reasons = {"AwsSolutions-S1": "it takes the logs", "NIST.800.53.R5-S3DefaultEncryptionKMS": "once needed"}
    bucket = {"Type": "AWS::S3::Bucket", "Metadata": {"modelwright": {"cdk-nag": reasons}}}
    accepted = violation("AwsSolutions-S1", "x/Logs", reason="it takes the logs")
    report = reports(plugin("AwsSolutions", suppressedViolations=[accepted]))
    collector = check(tmp_path, report, resources={"Logs": bucket})
    stale = "is accepted but not found: take the acceptance away"
    assert collector.findings == [Finding("cdk-nag", "NIST.800.53.R5-S3DefaultEncryptionKMS", "x/Logs", stale)]
    assert [item.id for item in collector.accepted] == ["AwsSolutions-S1"]


def test_a_pack_that_said_nothing_did_not_run(tmp_path: Path) -> None:
    with pytest.raises(SynthFailed, match=r"has nothing of NIST\.800\.53\.R5, Serverless"):
        check(tmp_path, {"pluginReports": [plugin("AwsSolutions")]})
