"""AWS's evaluation of all policies that apply to one request, inside one account. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (the texts of the reasons)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.iam.patterns import Values
    from modelwright.local.iam.principals import Match, Principal
    from modelwright.local.iam.statements import Document, Statement, StatementRef

_NOBODY: frozenset[StatementRef] = frozenset()
_KINDS = {"identity": "an identity-based policy", "boundary": "a permissions boundary"}


@dataclass(frozen=True)
class Access:
    """What somebody wants to do: one action on one resource. The context's keys are in lower case."""

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, Values]


@dataclass(frozen=True)
class Policies:
    """All that applies to a request.

    `resource_decides`: a KMS key or a role, which nobody may use whom its own policy does not let in; a statement for
    the account as a whole lets in whoever has it in an identity-based policy.
    """

    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    resource: tuple[Document, ...] = ()
    resource_decides: bool = False
    without: frozenset[StatementRef] = _NOBODY
    """Statements that are to be taken for absent."""


@dataclass(frozen=True)
class Decision:
    """Whether the request is allowed, why not, and the statements that made it so."""

    allowed: bool
    reason: str = ""
    statements: tuple[StatementRef, ...] = ()

    def __bool__(self) -> bool:
        """Whether it is allowed."""
        return self.allowed


def evaluate(access: Access, policies: Policies) -> Decision:
    """Decide by AWS's logic: an explicit deny anywhere wins, then somebody has to allow it, within the boundary."""
    about = _About(access, policies.without)
    identity = about.statements(policies.identity)
    boundary = about.statements((policies.boundary,) if policies.boundary else ())
    resource = about.matched(policies.resource)
    for kind, applying in (("identity", identity), ("boundary", boundary), ("resource", [s for s, _ in resource])):
        denies = [statement.ref for statement in applying if not statement.allow]
        if denies:
            where = _KINDS.get(kind, "a resource-based policy")
            return Decision(allowed=False, reason=f"with an explicit deny in {where}", statements=tuple(denies))
    return _granted(access, policies, identity, boundary, resource)


def _granted(
    access: Access,
    policies: Policies,
    identity: list[Statement],
    boundary: list[Statement],
    resource: list[tuple[Statement, Match]],
) -> Decision:
    """No statement denies; every statement handed in allows."""
    named = [statement for statement, match in resource if match != "account"]
    delegated = [statement for statement, match in resource if match == "account"]
    if access.principal.role_arn is None:
        return _decision(access, "resource-based policy", named, bool(named))
    if any(match == "session" for _, match in resource):  # a session's own ARN is beyond its role's boundary
        return _decision(access, "", named, allowed=True)
    if policies.resource_decides and not named and not delegated:
        return _decision(access, "resource-based policy", [], allowed=False)
    if not identity and not named:
        return _decision(access, "identity-based policy", [], allowed=False)
    used = identity + named + (delegated if policies.resource_decides else []) + boundary
    return _decision(access, "permissions boundary", used, not policies.boundary or bool(boundary))


def _decision(access: Access, missing: str, used: list[Statement], allowed: bool) -> Decision:  # noqa: FBT001  # the verdict
    if allowed:
        return Decision(allowed=True, statements=tuple(statement.ref for statement in used))
    return Decision(allowed=False, reason=f"because no {missing} allows the {access.action} action")


class _About:
    """Finds the statements that are about one request."""

    def __init__(self, access: Access, without: frozenset[StatementRef]) -> None:
        self._access = access
        self._action = access.action.lower()
        self._without = without

    def _applies(self, statement: Statement) -> bool:
        if self._without and statement.ref in self._without:
            return False
        return statement.applies(self._action, self._access.resource, self._access.context)

    def statements(self, documents: tuple[Document, ...]) -> list[Statement]:
        return [s for document in documents for s in document.about(self._action) if self._applies(s)]

    def matched(self, documents: tuple[Document, ...]) -> list[tuple[Statement, Match]]:
        """Those of a resource's policies, with how they mean the principal."""
        return [
            (statement, match)
            for document in documents
            for statement in document.about(self._action)
            if statement.principals
            and (match := statement.principals.match(self._access.principal))
            and self._applies(statement)
        ]
