"""Which findings are accepted: by the exact id, on one resource, with a reason; one that nothing finds is stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.checks.report import Accepted, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

METADATA = "modelwright"
"""`stacks.policy_checks` writes `{"modelwright": {<tool>: {<id>: <reason>}}}` into a resource's metadata."""


def accepted_in(templates: Iterable[Template], tool: str) -> Iterator[Accepted]:
    """Yield what the resources' metadata accept of the findings of `tool`."""
    for template in templates:
        for logical_id, resource in template.resources():
            reasons: Mapping[str, str] = resource.get("Metadata", {}).get(METADATA, {}).get(tool, {})
            for id_, reason in reasons.items():
                yield Accepted(tool, id_, f"{template.stack}/{logical_id}", reason)


def settle(tool: str, templates: Sequence[Template], found: Iterable[Finding], collector: Collector) -> None:
    """Report what was `found` without what the templates accept of it, and what they accept in vain."""
    divide(tool, found, accepted_in(templates, tool), collector)


def divide(tool: str, found: Iterable[Finding], accepted: Iterable[Accepted], collector: Collector) -> None:
    """Report what was `found` and not `accepted`, what was both, and what was accepted in vain."""
    findings = list(found)
    hit = {(item.id, item.where) for item in findings}
    given = {(item.id, item.where): item for item in accepted}
    open_ = [item for item in findings if (item.id, item.where) not in given]
    used = [item for key, item in given.items() if key in hit]
    collector.add(tool, [*open_, *stale(given.values(), hit)], used)


def stale(accepted: Iterable[Accepted], hit: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Yield a finding for each acceptance whose id and place are not among those that were `hit`."""
    keys = set(hit)
    for item in accepted:
        if (item.id, item.where) not in keys:
            yield Finding(item.tool, item.id, item.where, "is accepted but not found: take the acceptance away")
