"""A policy after it was read: statements that answer whether they are about a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from modelwright.local.iam.problems import UnknownValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.iam.conditions import Condition
    from modelwright.local.iam.patterns import Pattern, Values
    from modelwright.local.iam.principals import Principals

Kind = Literal["identity", "boundary", "resource", "trust"]

TAGS_KNOWN = "modelwright:resource-tags-known"
"""In a request's context when the tags of its resource are known, be they none."""


class StatementRef(NamedTuple):
    """Which statement: whose policy (a role's or a resource's ARN), the policy's name, the statement's Sid or index."""

    owner: str
    policy: str
    statement: str

    def __str__(self) -> str:
        """Return `owner: policy[statement]`."""
        return f"{self.owner}: {self.policy}[{self.statement}]"


@dataclass(frozen=True)
class Texts:
    """An Action or Resource list, or the Not form of it."""

    exact: frozenset[str]
    patterns: tuple[Pattern, ...]
    everything: bool
    inverted: bool

    def match(self, value: str, context: Mapping[str, Values]) -> bool:
        """Say whether the list is about `value`."""
        found = (
            self.everything or value in self.exact or any(pattern.matches(value, context) for pattern in self.patterns)
        )
        return found != self.inverted


@dataclass(frozen=True)
class Statement:
    """One statement, compiled."""

    ref: StatementRef
    allow: bool
    actions: Texts
    resources: Texts
    principals: Principals | None
    conditions: tuple[Condition, ...]

    @cached_property
    def asks_for_tags(self) -> bool:
        """Whether the answer depends on the resource's tags."""
        return any(condition.key.startswith("aws:resourcetag/") for condition in self.conditions)

    def applies(self, action: str, resource: str, context: Mapping[str, Values]) -> bool:
        """Say whether the statement is about the request (`action` in lower case), its principal left aside."""
        if not (self.actions.match(action, context) and self.resources.match(resource, context)):
            return False
        if self.conditions and self.asks_for_tags and TAGS_KNOWN not in context:
            raise UnknownValue("aws:ResourceTag", f"the tags of {resource} were not reported")
        return all(condition.holds(context) for condition in self.conditions)


@dataclass(frozen=True)
class Document:
    """One policy: its statements in their order."""

    owner: str
    name: str
    kind: Kind
    statements: tuple[Statement, ...]
    _by_service: dict[str, tuple[Statement, ...]] = field(default_factory=dict, compare=False, repr=False)

    def about(self, action: str) -> tuple[Statement, ...]:
        """Those statements that can be about the service of `action` (lower case)."""
        service = action.partition(":")[0]
        found = self._by_service.get(service)
        if found is None:
            found = tuple(s for s in self.statements if _may_concern(s.actions, service))
            self._by_service[service] = found
        return found


def _may_concern(actions: Texts, service: str) -> bool:
    if actions.inverted or actions.everything:
        return True
    texts = (*actions.exact, *(pattern.text for pattern in actions.patterns))
    return any(text.partition(":")[0] == service for text in texts)
