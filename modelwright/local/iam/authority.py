"""Who may do what in the local cloud: AWS's answer, from the policies of the synthesized template alone.

docs/adr/0004-enforced-policies.md says what is like AWS and what is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from modelwright.local.iam.actions import s3
from modelwright.local.iam.checks import Check, Request
from modelwright.local.iam.decisions import Decisions, lowered
from modelwright.local.iam.evaluate import Decision
from modelwright.local.iam.principals import Principal
from modelwright.local.iam.refusals import not_supported, refusal
from modelwright.local.iam.registry import PolicyText, Registry
from modelwright.local.iam.requests import UnmappedOperation, required
from modelwright.local.service import AwsError, Call, Caller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from modelwright.local.iam.decisions import Setting
    from modelwright.local.iam.patterns import Values
    from modelwright.local.iam.statements import StatementRef


_DELIVERIES = frozenset({"sns:Publish", "sqs:SendMessage"})
"""What a service sends to a topic or a queue, which encrypts it."""


class Authority:
    """Keeps all policies and decides. Safe to use from many threads."""

    def __init__(self, cloud: Setting) -> None:
        """Know no role and no policy yet."""
        self._cloud = cloud
        self._registry = Registry()
        self.decisions = Decisions(cloud, self._registry)

    # What there is

    def put_role(
        self,
        arn: str,
        trust_policy: PolicyText,
        identity_policies: Mapping[str, PolicyText],
        boundary: PolicyText | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Keep a role with its policies (name -> document), in place of one with that ARN. Raises PolicyError."""
        self._registry.put_role(arn, trust_policy, identity_policies, boundary, tags)

    def put_role_policy(self, arn: str, name: str, document: PolicyText | None) -> None:
        """Keep one more identity policy of a role that is there; None takes it away. Raises PolicyError, KeyError."""
        self._registry.put_role_policy(arn, name, document)

    def role_named(self, name: str) -> str | None:
        """Return the ARN of the role of this name, whatever its path; None when there is none."""
        return self._registry.role_named(name)

    def delete_role(self, arn: str) -> None:
        """Forget a role: whoever still calls as it is refused."""
        self._registry.delete_role(arn)

    def put_resource_policy(self, arn: str, document: PolicyText | None) -> None:
        """Keep the policy of a bucket, key, topic, queue, bus, function, table or repository; None takes it away.

        A policy of CloudWatch Logs belongs to no log group: its ARN is `arn:aws:logs:…:resource-policy/name`.
        A function's permissions are one document, as lambda:GetPolicy answers it. Raises PolicyError.
        """
        self._registry.put_resource_policy(arn, document)

    def put_resource_statement(self, arn: str, sid: str, statement: Mapping[str, object] | None) -> None:
        """Keep one statement of a resource's policy beside its others; None takes it away. Raises PolicyError."""
        self._registry.put_resource_statement(arn, sid, statement)

    def put_bucket_key(self, bucket: str, key_arn: str | None, *, bucket_key_enabled: bool = True) -> None:
        """Say which KMS key encrypts a bucket by default, so that calls to S3 also need that key; None for SSE-S3."""
        arn = bucket if bucket.startswith("arn:") else f"arn:aws:s3:::{bucket}"
        self._registry.put_key(arn, key_arn, bucket_key=bool(key_arn) and bucket_key_enabled)

    def key_of(self, arn: str) -> str | None:
        """Return the KMS key that encrypts a resource; None for none."""
        return self._registry.facts.keys.get(arn)

    def put_resource_key(self, arn: str, key_arn: str | None) -> None:
        """Say which KMS key encrypts a table, topic, queue, secure parameter or endpoint config; None for none."""
        self._registry.put_key(arn, key_arn)

    def put_key_alias(self, alias: str, key_arn: str | None) -> None:
        """Say which key `alias/name` stands for; None for none."""
        self._registry.put_alias(alias, key_arn)

    def put_partition_key(self, table_arn: str, name: str) -> None:
        """Say what a table's partition key is called: `dynamodb:LeadingKeys` needs it."""
        self._registry.put_partition_key(table_arn, name)

    def put_resource_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Say which tags a resource has: a policy that asks for tags nobody told of makes the call an error."""
        self._registry.put_tags(arn, tags)

    # Who may

    def check(self, call: Call) -> None:
        """Return when the caller may make the call; else raise AwsError with the service's own code and AWS's text.

        The owner is not restricted. An operation whose permissions are not known is an error for every role.
        """
        role_arn = call.caller.role_arn
        if call.caller.kind == "owner" or role_arn is None:
            return
        principal = Principal(call.caller.arn, self._cloud.account, role_arn)
        request = Request(
            call.service, call.operation, call.params, call.region, self._cloud.account, self._registry.facts
        )
        try:
            for needed in required(request):
                self._enforce(principal, needed, call.service, call.region, call.caller.via)
        except UnmappedOperation as error:
            raise not_supported(str(error)) from None

    def hide_missing(self, call: Call) -> None:
        """Raise AwsError when S3 would not even say that the object of this call is not there.

        To be asked after a NoSuchKey: a caller without s3:ListBucket gets AccessDenied in its place.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax (Permissions)
        """
        role_arn = call.caller.role_arn
        if call.caller.kind == "owner" or role_arn is None:
            return
        principal = Principal(call.caller.arn, self._cloud.account, role_arn)
        needed = Check("s3:ListBucket", s3.bucket_that_is_read(call.params))
        self._enforce(principal, needed, "s3", call.region, call.caller.via)

    def check_as(
        self, role_arn: str, service: str, operation: str, params: Mapping[str, Any], *, session_name: str = "SageMaker"
    ) -> None:
        """Check a call that AWS makes itself as a session of the role: S3 for a job's channels and its bucket's key."""
        caller = Caller("role", session_arn(role_arn, session_name), role_arn)
        self.check(Call(service, operation, dict(params), caller, self._cloud.region))

    def authorize(
        self,
        role_arn: str,
        action: str,
        resource: str,
        context: Mapping[str, Values] | None = None,
        *,
        session_name: str = "SageMaker",
    ) -> None:
        """Return when a session of the role may do one action on one resource; else raise AwsError."""
        principal = Principal(session_arn(role_arn, session_name), self._cloud.account, role_arn)
        needed = Check(action, resource, lowered(context))
        self._enforce(principal, needed, action.partition(":")[0], self._cloud.region, None)

    def authorize_service(
        self, service: str, action: str, resource: str, context: Mapping[str, Values] | None = None
    ) -> None:
        """Return when a service in its own name (`events.amazonaws.com`) may do it; only the resource's policy decides.

        Give `aws:SourceArn`: the rule, topic or alarm on whose behalf it acts. `aws:SourceAccount` is this account.
        Where the resource is encrypted with a key, the service has to be let in by the key's policy as well:
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        """
        self._enforce_for_service(service, action, resource, context)
        if action in _DELIVERIES:
            self.authorize_key(service, resource, context)

    def authorize_key(self, service: str, resource: str, context: Mapping[str, Values] | None = None) -> None:
        """Return when the service may send to the topic or queue, as far as the key goes that encrypts it, if any."""
        key = self._registry.facts.keys.get(resource)
        for use in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
            self._enforce_for_service(service, use, str(key), context)

    def has_policy(self, action: str, resource: str) -> bool:
        """Say whether the resource has a policy of its own that is about the action."""
        return bool(self._registry.policies_of(action, resource))

    def may_assume(
        self, role_arn: str, service_principal: str, context: Mapping[str, Values] | None = None
    ) -> Decision:
        """Say whether the role's trust policy lets the service assume it; the decision is true or has a reason."""
        if role_arn not in self._registry.roles:
            return Decision(allowed=False, reason=f"because there is no role {role_arn}")
        return self.decisions.for_service(service_principal, "sts:AssumeRole", role_arn, context)

    def may_assume_with_token(self, role_arn: str, provider_arn: str, claims: Mapping[str, str]) -> Decision:
        """Say whether the role's trust policy lets in whom this identity provider vouches for, as its claims have it.

        `claims` are condition keys: `token.actions.githubusercontent.com:sub`.
        """
        if role_arn not in self._registry.roles:
            return Decision(allowed=False, reason=f"because there is no role {role_arn}")
        return self.decisions.for_token(role_arn, provider_arn, claims)

    # What was exercised

    def used(self) -> set[StatementRef]:
        """The statements that have decided something since the start."""
        return set(self.decisions.used)

    def statements(self) -> set[StatementRef]:
        """Every statement of every policy."""
        return {statement.ref for document in self._registry.documents() for statement in document.statements}

    def without(self, *statements: StatementRef) -> AbstractContextManager[None]:
        """Decide, in the meantime, as if these statements were not there."""
        return self.decisions.without(*statements)

    # How

    def _enforce(self, principal: Principal, needed: Check, service: str, region: str, via: str | None) -> None:
        role = self._registry.roles.get(principal.role_arn or "")
        if role is None:
            _no_such_role(principal)
        decision = self.decisions.for_role(principal, role, needed, region, via)
        if not decision:
            raise refusal(service, principal.arn, needed.action, needed.resource, decision.reason)

    def _enforce_for_service(
        self, service: str, action: str, resource: str, context: Mapping[str, Values] | None
    ) -> None:
        decision = self.decisions.for_service(service, action, resource, context)
        if not decision:
            raise refusal(action.partition(":")[0], service, action, resource, decision.reason)


def session_arn(role_arn: str, session_name: str) -> str:
    """The ARN of a session of a role: a role's path is not part of it."""
    parts = role_arn.split(":")
    return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{role_arn.rpartition('/')[2]}/{session_name}"


def _no_such_role(principal: Principal) -> NoReturn:
    raise AwsError(
        "InvalidClientTokenId",
        f"The security token included in the request is invalid: there is no role {principal.role_arn}.",
        403,
    )
