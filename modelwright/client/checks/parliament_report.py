"""Runs in the checks' own environment: `python parliament_report.py < documents > findings`, both JSON.

Imports nothing of modelwright, which is not installed there. Each action of each statement is looked at by itself:
parliament says no more of a statement after the first action that it does not know.
https://github.com/duo-labs/parliament
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import parliament

if TYPE_CHECKING:
    from collections.abc import Iterator


def report(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what parliament says of each document: its number, the statement's, the action, rule and sentence."""
    return [{"document": number, **found} for number, document in enumerate(given) for found in _of_document(document)]


def _of_document(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    statements = document["Statement"]
    for number, statement in enumerate(statements):
        element = "Action" if "Action" in statement else "NotAction"
        for action in statement[element]:
            one = {**document, "Statement": [{**statement, element: action}]}
            for issue, detail in _findings(one):
                yield {"statement": number, "action": action, "issue": issue, "detail": detail}
    for issue, detail in _findings(document):
        if issue in {"DUPLICATE_SID", "MALFORMED", "MALFORMED_JSON", "NO_VERSION", "OLD_VERSION", "INVALID_VERSION"}:
            yield {"statement": None, "action": "", "issue": issue, "detail": detail}


def _findings(document: dict[str, Any]) -> list[tuple[str, str]]:
    policy = parliament.analyze_policy_string(json.dumps(document))
    found = [parliament.enhance_finding(finding) for finding in policy.findings]
    return [(finding.issue, f"{finding.title}. {finding.detail or ''}".strip()) for finding in found]


if __name__ == "__main__":
    json.dump(report(json.load(sys.stdin)), sys.stdout)
