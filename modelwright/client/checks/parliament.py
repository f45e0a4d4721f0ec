"""parliament on every policy document: actions, resources, conditions and principals that fit each other.

https://github.com/duo-labs/parliament
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.documents import as_list, documents
from modelwright.client.checks.report import Finding
from modelwright.client.checks.samples import role_sample
from modelwright.errors import ChecksUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.documents import Document
    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "parliament"
_PROGRAM: Final = Path(__file__).with_name("parliament_report.py")


def check_parliament(python: Path, templates: Sequence[Template], collector: Collector) -> None:
    """Look at every policy of the templates with the parliament of the checks' environment."""
    given = list(documents(templates))
    report = _run(python, [_complete(document) for document in given])
    settle(TOOL, templates, (_finding(given[item["document"]], item) for item in report), collector)


def _complete(document: Document) -> dict[str, Any]:
    """The document as parliament reads it: lists everywhere, and a trust policy's resource, which is the role."""
    statements = [dict(_statement(document, item)) for _, item in document.statements]
    return {**document.body, "Statement": statements}


def _statement(document: Document, statement: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in statement.items():
        yield key, as_list(value) if key in {"Action", "NotAction", "Resource", "NotResource"} else value
    if document.kind == "trust":
        yield "Resource", [role_sample()]
    elif document.own_arn and statement.get("Resource") == "*":
        yield "Resource", [document.own_arn]


def _run(python: Path, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    command = [str(python), "-P", "-W", "ignore", str(_PROGRAM)]  # -P: this folder's own modules are not in the way
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        raise ChecksUnavailable(f"parliament failed: {(done.stderr or done.stdout).strip()[-500:]}") from None
    return found


def _finding(document: Document, item: Mapping[str, Any]) -> Finding:
    place = document.path if item["statement"] is None else document.statements[item["statement"]][0]
    rule = f"{item['issue']}[{'/'.join(part for part in (place, item['action']) if part)}]"
    return Finding(TOOL, rule, document.where, " ".join(item["detail"].split()))
