"""How each decision is made: what is known of the request is put together, and all policies about it are evaluated."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from modelwright.local.iam import context as request_context
from modelwright.local.iam.evaluate import Access, Decision, Policies, evaluate
from modelwright.local.iam.principals import Principal
from modelwright.local.iam.problems import UnknownValue
from modelwright.local.iam.refusals import not_supported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.clock import Clock
    from modelwright.local.iam.checks import Check
    from modelwright.local.iam.patterns import Values
    from modelwright.local.iam.registry import Registry, Role
    from modelwright.local.iam.statements import StatementRef


class Setting(Protocol):
    """What the authority needs of the cloud that it is made for."""

    account: str
    region: str
    clock: Clock


class Decisions:
    """Decides from what the registry holds, and remembers which statements decided."""

    def __init__(self, setting: Setting, registry: Registry) -> None:
        self._setting = setting
        self._registry = registry
        self._without: frozenset[StatementRef] = frozenset()
        self.used: set[StatementRef] = set()
        """The statements that have decided something since the start."""

    def for_role(self, principal: Principal, role: Role, needed: Check, region: str, via: str | None) -> Decision:
        """Whether a session of the role may do what is needed; `via`: the service that asks in its name."""
        found = request_context.of_request(region, self._setting.clock.now())
        found |= request_context.of_role(principal, via, direct=not needed.forwarded)
        found |= {f"aws:principaltag/{key.lower()}": value for key, value in role.tags.items()}
        return self.decide(Access(principal, needed.action, needed.resource, {**found, **needed.context}), role)

    def for_service(
        self, service: str, action: str, resource: str, context: Mapping[str, Values] | None = None
    ) -> Decision:
        """Whether a service in its own name may do it."""
        found = request_context.of_request(self._setting.region, self._setting.clock.now())
        found |= request_context.of_service(service, self._setting.account)
        return self.decide(Access(Principal.of_service(service), action, resource, found | lowered(context)), None)

    def for_token(self, role_arn: str, provider_arn: str, claims: Mapping[str, str]) -> Decision:
        """Whether the role's trust policy lets in whom the identity provider vouches for."""
        found = request_context.of_request(self._setting.region, self._setting.clock.now()) | lowered(claims)
        who = Principal.of_provider(provider_arn)
        return self.decide(Access(who, "sts:AssumeRoleWithWebIdentity", role_arn, found), None)

    def decide(self, access: Access, role: Role | None) -> Decision:
        """Evaluate everything that is about this access; AwsError when a policy asks for what nobody told of."""
        action, resource = access.action, access.resource
        about_resource: dict[str, Values] = {"aws:resourceaccount": _account_of(resource) or self._setting.account}
        about_resource |= self._registry.tags_context(resource)
        whole = Access(access.principal, action, resource, {**about_resource, **access.context})
        try:
            decision = evaluate(whole, self._policies(action, resource, role))
        except UnknownValue as error:
            raise not_supported(f"{action} on {resource}: {error}") from None
        self.used.update(decision.statements)
        return decision

    @contextmanager
    def without(self, *statements: StatementRef) -> Iterator[None]:
        """Decide, in the meantime, as if these statements were not there."""
        before = self._without
        self._without = before | frozenset(statements)
        try:
            yield
        finally:
            self._without = before

    def _policies(self, action: str, resource: str, role: Role | None) -> Policies:
        return Policies(
            identity=role.identity if role else (),
            boundary=role.boundary if role else None,
            resource=self._registry.policies_of(action, resource),
            resource_decides=action.startswith(("kms:", "sts:AssumeRole")) and resource != "*",
            without=self._without,
        )


def lowered(context: Mapping[str, Values] | None) -> dict[str, Values]:
    """Condition keys are compared without regard to case."""
    return {key.lower(): value for key, value in (context or {}).items()}


def _account_of(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) > 4 else ""
