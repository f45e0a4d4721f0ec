"""Who a request comes from, and the Principal of a resource's policy that says whom it is about.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from modelwright.local.iam.problems import Problems

Match = Literal["direct", "session", "account"]
"""How a policy means a principal: itself, this very session of it, or only the account that it belongs to."""

_ACCOUNT = re.compile(r"(\d{12})|arn:aws[a-z-]*:iam::(\d{12}):root")
_NAMED = re.compile(r"arn:aws[a-z-]*:(iam::\d{12}:(role|user)/[^*?]+|sts::\d{12}:(assumed-role|federated-user)/[^*?]+)")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_KINDS = {"AWS", "Service", "Federated"}


@dataclass(frozen=True)
class Principal:
    """Who calls: a session of a role (`role_arn` and the session's own `arn`), a service, or a federated identity."""

    arn: str
    account: str
    role_arn: str | None = None
    service: str | None = None
    federated: str | None = None

    @classmethod
    def of_service(cls, service: str) -> Principal:
        """`events.amazonaws.com` and its like, which belong to no account of ours."""
        return cls(arn=service, account="", service=service)

    @classmethod
    def of_provider(cls, provider_arn: str) -> Principal:
        """Somebody whom an identity provider vouches for."""
        return cls(arn=provider_arn, account="", federated=provider_arn)


@dataclass(frozen=True)
class Principals:
    """The Principal or NotPrincipal of one statement."""

    everyone: bool = False
    accounts: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()
    inverted: bool = False

    def match(self, principal: Principal) -> Match | None:
        """Say how the statement is about `principal`; None when it is not."""
        if self.inverted:
            return None if self._lists_whole(principal) else "direct"
        if principal.arn in self.named:
            return "session"
        if self._names(principal):
            return "direct"
        return "account" if principal.account in self.accounts else None

    def _names(self, principal: Principal) -> bool:
        return (
            self.everyone
            or principal.role_arn in self.named
            or principal.service in self.services
            or principal.federated in self.federated
        )

    def _lists_whole(self, principal: Principal) -> bool:
        """NotPrincipal spares a role's session only when session, role and account are all listed, as on AWS."""
        if self.everyone or principal.service in self.services or principal.federated in self.federated:
            return True
        return {principal.arn, principal.role_arn} <= self.named and principal.account in self.accounts


def parse_principals(block: object, place: str, problems: Problems, *, inverted: bool) -> Principals:
    """Read a Principal or NotPrincipal; what is wrong goes to `problems`."""
    if block == "*":
        return Principals(everyone=True, inverted=inverted)
    if not isinstance(block, Mapping):
        problems.add(place, f'is {block!r}; it must be "*" or an object with {_listed(_KINDS)}')
        return Principals()
    texts = {kind: _texts(block, kind, place, problems) for kind in _KINDS}
    for kind in set(block) - _KINDS:
        problems.add(f"{place}.{kind}", f"is not supported; known are {_listed(_KINDS)}")
    _check_services(texts["Service"], place, problems)
    return Principals(
        everyone="*" in texts["AWS"],
        accounts=frozenset(found[1] or found[2] for text in texts["AWS"] if (found := _ACCOUNT.fullmatch(text))),
        named=_named(texts["AWS"], place, problems),
        services=frozenset(texts["Service"]),
        federated=frozenset(texts["Federated"]),
        inverted=inverted,
    )


def _texts(block: Mapping[str, object], kind: str, place: str, problems: Problems) -> list[str]:
    value = block.get(kind, [])
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in found):
        problems.add(f"{place}.{kind}", f"is {value!r}; it must be a text or a list of texts")
    return [text for text in found if isinstance(text, str)]


def _named(texts: list[str], place: str, problems: Problems) -> frozenset[str]:
    """The ARNs of roles, users and sessions. AWS refuses wildcards inside a principal's ARN."""
    others = [text for text in texts if text != "*" and not _ACCOUNT.fullmatch(text)]
    for text in others:
        if not _NAMED.fullmatch(text):
            problems.add(f"{place}.AWS", f'{text!r} is no account, role, user or session, nor "*"')
    return frozenset(others)


def _check_services(texts: list[str], place: str, problems: Problems) -> None:
    for text in texts:
        if not _SERVICE.fullmatch(text):
            problems.add(f"{place}.Service", f"{text!r} is not a service such as events.amazonaws.com")


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(values))
