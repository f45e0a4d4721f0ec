"""checkov's rules for CloudFormation: https://www.checkov.io/5.Policy%20Index/cloudformation.html."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.acceptances import divide
from modelwright.client.checks.report import Accepted, Finding
from modelwright.errors import ChecksUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "checkov"


def check_checkov(python: Path, templates: Sequence[Template], collector: Collector) -> None:
    """Run checkov's CloudFormation rules without a network.

    It is given the templates without their own skips, which it would not say the use of: they are applied here.
    """
    stacks = {template.path.name: template.stack for template in templates}
    with tempfile.TemporaryDirectory(prefix="modelwright-checkov-") as folder:
        report = _run(python, [_without_metadata(template, Path(folder)) for template in templates])
    divide(TOOL, _findings(report, stacks), _accepted(templates), collector)


def _without_metadata(template: Template, folder: Path) -> Path:
    resources = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template.resources()
    }
    path = folder / template.path.name
    path.write_text(json.dumps({**template.body, "Resources": resources}, indent=1), "utf-8")
    return path


def _run(python: Path, paths: Sequence[Path]) -> dict[str, Any]:
    script = python.parent / "checkov"
    options = ["--skip-download", "--framework", "cloudformation", "--output", "json", "--compact"]
    files = [option for path in paths for option in ("--file", str(path))]
    variables = os.environ | {"LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"}
    command = [str(python), str(script), *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise ChecksUnavailable(f"checkov failed: {(done.stderr or done.stdout).strip()[-500:]}") from None
    if "results" not in found:  # its summary alone: it looked at nothing
        raise ChecksUnavailable("checkov found no resource to look at.")
    report: dict[str, Any] = found
    return report


def _findings(report: Mapping[str, Any], stacks: Mapping[str, str]) -> Iterator[Finding]:
    for item in report["results"]["failed_checks"]:
        yield Finding(TOOL, item["check_id"], _where(item, stacks), item["check_name"])
    for path in report["results"].get("parsing_errors", []):
        yield Finding(TOOL, "parsing", Path(path).name, "could not be read by checkov")


def _accepted(templates: Sequence[Template]) -> Iterator[Accepted]:
    """What the resources skip, in checkov's own notation."""
    for template in templates:
        for logical_id, resource in template.resources():
            for skip in resource.get("Metadata", {}).get(TOOL, {}).get("skip", []):
                yield Accepted(TOOL, skip["id"], f"{template.stack}/{logical_id}", skip["comment"])


def _where(item: Mapping[str, Any], stacks: Mapping[str, str]) -> str:
    logical_id = item["resource"].rpartition(".")[2]
    return f"{stacks[Path(item['file_path']).name]}/{logical_id}"
