"""cfn-lint, whose rule E3601 reads the state machines too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.report import Finding
from modelwright.errors import ChecksUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "cfn-lint"


def check_lint(templates: Sequence[Template], collector: Collector) -> None:
    """Lint the templates; what a resource's metadata accepts is no finding, and what it accepts in vain is one."""
    settle(TOOL, templates, (_finding(templates, item) for item in _run([each.path for each in templates])), collector)


def _run(paths: Iterable[Path]) -> list[dict[str, Any]]:
    program = Path(sys.executable).parent / "cfn-lint"
    if not program.is_file():
        raise ChecksUnavailable("cfn-lint is not installed beside this Python.", "Run `make setup`.")
    command = [str(program), "--format", "json", "--", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    except ValueError:
        raise ChecksUnavailable(f"cfn-lint failed: {(done.stderr or done.stdout).strip()[-500:]}") from None
    if done.returncode and not found:
        raise ChecksUnavailable(f"cfn-lint failed: {done.stderr.strip()[-500:]}")
    return found


def _finding(templates: Sequence[Template], item: Mapping[str, Any]) -> Finding:
    stack = next(template.stack for template in templates if str(template.path) == item["Filename"])
    path = [str(part) for part in item["Location"].get("Path") or []]
    rule = item["Rule"]["Id"]
    if "DefinitionString" in path:
        rule = f"{rule}[{'/'.join(path[path.index('DefinitionString') + 1 :])}]"
    where = f"{stack}/{path[1]}" if path[:1] == ["Resources"] and len(path) > 1 else stack
    return Finding(TOOL, rule, where, item["Message"])
