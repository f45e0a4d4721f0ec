"""Each action of each policy in AWS's Service Authorization Reference: it exists, and it is about these resources.

The reference is the copy that cfn-lint ships, newer than parliament's: an action that parliament does not know yet is
still looked at. https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.documents import as_list, documents
from modelwright.client.checks.report import Finding
from modelwright.errors import ChecksUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.documents import Document
    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "authorizations"
_TRUSTED = frozenset({"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:TagSession"})
"""What a trust policy is about; its resource is the role."""


def check_authorizations(templates: Sequence[Template], collector: Collector) -> None:
    """Look every statement of every policy up in the reference."""
    found = (finding for document in documents(templates) for finding in _of_document(document))
    settle(TOOL, templates, found, collector)


def _of_document(document: Document) -> Iterator[Finding]:
    for label, statement in document.statements:
        if "NotAction" in statement and statement["Effect"] == "Allow":
            message = "allows whatever it does not name, also what AWS adds tomorrow; name the actions."
            yield Finding(TOOL, f"not-action[{label}]", document.where, message)
        for rule, message in _of_statement(document, statement):
            yield Finding(TOOL, f"{rule[0]}[{label}/{rule[1]}]", document.where, message)


def _of_statement(document: Document, statement: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    known: dict[str, list[str]] = {}
    element = "Action" if "Action" in statement else "NotAction"
    for action in as_list(statement[element]):
        types = _types(action)
        if types is None:
            yield ("action", action), f"AWS has no action {action}."
        elif document.kind == "trust" and action not in _TRUSTED:
            yield ("action", action), f"{action} has no place in a trust policy."
        else:
            known[action] = types
    if element == "Action" and document.kind != "trust" and len(known) == len(as_list(statement["Action"])):
        resources = [document.own_arn if item == "*" and document.own_arn else item for item in _resources(statement)]
        yield from _fit(known, resources)


def _resources(statement: Mapping[str, Any]) -> list[str]:
    return [str(item) for item in as_list(statement.get("Resource", []))]


def _fit(known: Mapping[str, Sequence[str]], resources: Sequence[str]) -> Iterator[tuple[tuple[str, str], str]]:
    """Each action needs a resource of its own kinds, each resource an action that is about it."""
    for action, types in known.items():
        if not any(item == "*" or _is_one_of(item, action, types) for item in resources):
            wanted = f"of {' or '.join(types)}" if types else "* alone: it knows no resource"
            yield ("resource", action), f"{action} is about resources {wanted}; here it has {', '.join(resources)}."
    for item in resources:
        if item != "*" and not any(_is_one_of(item, action, types) for action, types in known.items()):
            yield ("unused", item.split(":", 5)[-1]), f"none of {', '.join(known)} is about {item}."


@cache
def _reference() -> Mapping[str, Any]:
    try:
        text = (files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text("utf-8")
    except ModuleNotFoundError:
        raise ChecksUnavailable("cfn-lint is not installed beside this Python.", "Run `make setup`.") from None
    found: Mapping[str, Any] = json.loads(text)
    return found


def _types(action: str) -> list[str] | None:
    """The kinds of resources that an action, or a pattern of actions, is about; None when there is no such action."""
    prefix, _, name = action.partition(":")
    actions = _reference().get(prefix, {}).get("Actions", {})
    found = [entry for key, entry in actions.items() if fnmatchcase(key, name.lower())]
    return sorted({type_ for entry in found for type_ in entry.get("Resources") or []}) if found else None


def _is_one_of(resource: str, action: str, types: Sequence[str]) -> bool:
    known = _reference()[action.partition(":")[0]]["Resources"]
    return any(re.fullmatch(form, _example(resource)) for name in types for form in _forms(known, name))


def _forms(known: Mapping[str, Any], type_: str) -> Iterator[str]:
    """The ARNs of a resource type as regular expressions; the reference's copy writes buckets and objects alike."""
    ends = {"bucket": "[^/]*", "object": "[^/]*/.*"}
    for form in (known.get(type_) or known.get(type_.lower(), {})).get("ARNFormats", []):  # the copy's own spelling
        text = re.sub(r"\$\{(Partition|Region|Account)\}", "[^:]*", form)
        yield text.replace(":s3:::.*", f":s3:::{ends.get(type_, '.*')}")


def _example(pattern: str) -> str:
    return pattern.replace("*", "x").replace("?", "x")
