"""CDK's own validation of the templates, and cdk-nag: both run inside a synth and leave a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.acceptances import accepted_in, stale
from modelwright.client.checks.report import Accepted, Finding
from modelwright.client.checks.templates import read_templates
from modelwright.client.deploys.synth import synthesize
from modelwright.errors import SynthFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelwright.client.checks.report import Collector

TOOL = "cdk-nag"
BUILT_IN = "cdk"
SWITCH = "modelwright:policy-checks"
"""`stacks.policy_checks.SWITCH`; a contract test holds them together."""
_NAMES = {"AwsSolutions": TOOL, "NIST.800.53.R5": TOOL, "Serverless": TOOL, "CloudFormation Validate": BUILT_IN}
"""The plug-ins whose reports there may be, and which tool each is of."""
PACKS = tuple(sorted(name for name, tool in _NAMES.items() if tool == TOOL))


def check_policies(root: Path, env: str, outdir: Path, collector: Collector) -> None:
    """Synthesize with all validators switched on; warnings count as much as errors.

    What a resource's metadata accepts and no pack found there is a finding, too.
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
        hit = [_accepted(tool, *item) for report in mine for item in _items(report, "suppressedViolations")]
        given = accepted_in(read_templates(outdir), tool)
        collector.add(tool, [*findings, *stale(given, ((item.id, item.where) for item in hit))], hit)


def _reports(outdir: Path) -> list[dict[str, Any]]:
    path = outdir / "validation-report.json"
    if not path.is_file():
        raise SynthFailed("The synth left no validation-report.json: the policy checks did not run.")
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["pluginReports"]
    missing = sorted(set(PACKS) - {report["pluginName"] for report in found})
    if missing:
        raise SynthFailed(f"validation-report.json has nothing of {', '.join(missing)}: the policy checks did not run.")
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
