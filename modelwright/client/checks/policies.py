"""CDK's own validation of the templates, and cdk-nag: both run inside a synth and leave a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.report import Accepted, Finding
from modelwright.client.synth import synthesize
from modelwright.errors import SynthFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelwright.client.checks.report import Collector

TOOL = "cdk-nag"
BUILT_IN = "cdk"
SWITCH = "modelwright:policy-checks"
"""`stacks.policy_checks.SWITCH`; a contract test holds them together."""
_NAMES = {"AwsSolutions": TOOL, "CloudFormation Validate": BUILT_IN}


def check_policies(root: Path, env: str, outdir: Path, collector: Collector) -> None:
    """Synthesize with all validators switched on; warnings count as much as errors.

    Raises `SynthFailed` when the synth fails for another reason than a finding.
    """
    try:
        synthesize(root, env, outdir, {"CDK_VALIDATION": "true"}, {SWITCH: True})
    except SynthFailed:
        if not (outdir / "validation-report.json").is_file():
            raise
    reports = _reports(outdir)
    for tool in (TOOL, BUILT_IN):
        mine = [report for report in reports if _NAMES[report["pluginName"]] == tool]
        findings = (_finding(tool, *item) for report in mine for item in _items(report, "violations"))
        accepted = (_accepted(tool, *item) for report in mine for item in _items(report, "suppressedViolations"))
        collector.add(tool, findings, accepted)


def _reports(outdir: Path) -> list[dict[str, Any]]:
    path = outdir / "validation-report.json"
    if not path.is_file():
        raise SynthFailed("The synth left no validation-report.json: the policy checks did not run.")
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["pluginReports"]
    unknown = sorted({report["pluginName"] for report in found} - set(_NAMES))
    if unknown:
        raise SynthFailed(f"validation-report.json is from {', '.join(unknown)}, which nothing here reads.")
    return found


def _items(report: Mapping[str, Any], key: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each violation on each resource that it is about."""
    for violation in report.get(key, []):
        for construct in violation["violatingConstructs"]:
            yield violation, construct["constructPath"]


def _finding(tool: str, violation: Mapping[str, Any], where: str) -> Finding:
    return Finding(tool, violation["ruleName"], where, violation["description"])


def _accepted(tool: str, violation: Mapping[str, Any], where: str) -> Accepted:
    return Accepted(tool, violation["ruleName"], where, violation["reason"])
