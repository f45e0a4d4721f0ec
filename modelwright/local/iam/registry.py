"""What the authority knows: the roles, the resources' policies, and the facts about resources that decisions need."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from modelwright.local.iam.checks import Facts
from modelwright.local.iam.documents import parse_document
from modelwright.local.iam.statements import TAGS_KNOWN, Document

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values

PolicyText = str | Mapping[str, object]
"""A policy as JSON text or as what such a text holds."""


@dataclass(frozen=True)
class Role:
    """One role with its policies, read."""

    arn: str
    trust: Document
    identity: tuple[Document, ...]
    boundary: Document | None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def documents(self) -> tuple[Document, ...]:
        """All its policies."""
        return (self.trust, *self.identity, *((self.boundary,) if self.boundary else ()))


class Registry:
    """Roles and resource policies. Every change makes a new mapping, so readers need no lock."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.RLock()
        self.roles: Mapping[str, Role] = {}
        self.resource_policies: Mapping[str, Document] = {}
        self._statements: dict[str, dict[str, Mapping[str, object]]] = {}
        """Resource -> Sid -> statement, of policies that are made of statements one by one."""
        self.tags: Mapping[str, Mapping[str, str]] = {}
        self.facts = Facts()

    def put_role(
        self,
        arn: str,
        trust: PolicyText,
        identity: Mapping[str, PolicyText],
        boundary: PolicyText | None,
        tags: Mapping[str, str] | None,
    ) -> None:
        """Read the role's policies and keep it, in place of one with that ARN. Raises PolicyError."""
        role = Role(
            arn=arn,
            trust=parse_document(trust, kind="trust", owner=arn, name="trust"),
            identity=tuple(
                parse_document(text, kind="identity", owner=arn, name=name) for name, text in sorted(identity.items())
            ),
            boundary=parse_document(boundary, kind="boundary", owner=arn, name="boundary") if boundary else None,
            tags=dict(tags or {}),
        )
        with self._lock:
            self.roles = {**self.roles, arn: role}

    def put_role_policy(self, arn: str, name: str, text: PolicyText | None) -> None:
        """Keep a further identity policy of a role that is there; None takes it away. Raises PolicyError, KeyError."""
        with self._lock:
            role = self.roles[arn]
            others = tuple(document for document in role.identity if document.name != name)
            added = (parse_document(text, kind="identity", owner=arn, name=name),) if text is not None else ()
            self.roles = {**self.roles, arn: replace(role, identity=(*others, *added))}

    def role_named(self, name: str) -> str | None:
        """The ARN of the role of this name, whatever its path.

        An account has one: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        """
        return next((arn for arn in self.roles if arn.rpartition("/")[2] == name), None)

    def delete_role(self, arn: str) -> None:
        """Forget the role; nothing happens when there is none."""
        with self._lock:
            self.roles = {key: role for key, role in self.roles.items() if key != arn}

    def put_resource_policy(self, arn: str, text: PolicyText | None) -> None:
        """Read the policy of the resource and keep it; None takes it away. Raises PolicyError."""
        bare = arn.split(":")[2] == "ecr"  # a repository's policy names no resource
        document = (
            parse_document(text, kind="resource", owner=arn, name="policy", without_resource=bare) if text else None
        )
        with self._lock:
            others = {key: found for key, found in self.resource_policies.items() if key != arn}
            self.resource_policies = others | ({arn: document} if document else {})

    def put_resource_statement(self, arn: str, sid: str, statement: Mapping[str, object] | None) -> None:
        """Keep one statement of the resource's policy, in place of one of that Sid; None takes it away."""
        with self._lock:
            kept = {key: found for key, found in self._statements.get(arn, {}).items() if key != sid}
            kept |= {sid: {**statement, "Sid": sid}} if statement is not None else {}
            self.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": list(kept.values())} if kept else None)
            self._statements[arn] = kept

    def put_key(self, arn: str, key_arn: str | None, *, bucket_key: bool = False) -> None:
        """Note which KMS key encrypts the resource, if any; `bucket_key`: it is a bucket that uses a Bucket Key."""
        with self._lock:
            keys = {key: value for key, value in self.facts.keys.items() if key != arn}
            buckets = self.facts.bucket_keys | {arn} if bucket_key else self.facts.bucket_keys - {arn}
            self.facts = replace(self.facts, keys=keys | ({arn: key_arn} if key_arn else {}), bucket_keys=buckets)

    def put_alias(self, alias: str, key_arn: str | None) -> None:
        """Note which key `alias/name` stands for, if any."""
        with self._lock:
            others = {key: value for key, value in self.facts.aliases.items() if key != alias}
            self.facts = replace(self.facts, aliases=others | ({alias: key_arn} if key_arn else {}))

    def put_partition_key(self, table_arn: str, name: str) -> None:
        """Note the name of the table's partition key."""
        with self._lock:
            known = {**self.facts.partition_keys, table_arn: name}
            self.facts = replace(self.facts, partition_keys=known)

    def put_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Note the resource's tags, all of them."""
        with self._lock:
            self.tags = {**self.tags, arn: dict(tags)}

    def policies_of(self, action: str, resource: str) -> tuple[Document, ...]:
        """The resource-based policies that are about the resource."""
        service, _, _ = action.partition(":")
        if service == "logs":  # a log group has none of its own: the account's have it as their Resource
            return tuple(found for arn, found in self.resource_policies.items() if arn.split(":")[2] == "logs")
        if service == "sts":
            role = self.roles.get(resource)
            return (role.trust,) if role else ()
        found = self.resource_policies.get(policy_owner(resource))
        return (found,) if found else ()

    def tags_context(self, resource: str) -> dict[str, Values]:
        """`aws:ResourceTag/…` when the tags of the resource are known, be they none."""
        tags = self.tags.get(policy_owner(resource) if resource not in self.tags else resource)
        if tags is None:
            return {}
        found: dict[str, Values] = {f"aws:resourcetag/{key.lower()}": value for key, value in tags.items()}
        return {**found, TAGS_KNOWN: "true"}

    def documents(self) -> Iterator[Document]:
        """Every policy."""
        for role in self.roles.values():
            yield from role.documents
        yield from self.resource_policies.values()


def policy_owner(resource: str) -> str:
    """The ARN of what carries the policy: an object's bucket, an index's table, a version's function."""
    service, _, rest = resource.removeprefix("arn:").partition(":")[2].partition(":")
    if service == "s3":
        return resource.partition("/")[0]
    if service == "dynamodb":
        return resource.partition("/index/")[0]
    if service == "lambda":
        return ":".join(resource.split(":")[:7])
    if service == "sagemaker" and ":model-package/" in f":{rest}":
        return resource.replace(":model-package/", ":model-package-group/", 1).rpartition("/")[0]
    return resource
