"""What the mapping of one API call to its permissions works with: the request as parsed, and the checks it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values


@dataclass(frozen=True)
class Check:
    """One permission that the call needs: an action on a resource, with what the request says of it."""

    action: str
    resource: str = "*"
    context: Mapping[str, Values] = field(default_factory=dict)
    forwarded: bool = False
    """A service asks for it with the caller's identity (S3 at KMS), not the caller itself."""


@dataclass(frozen=True)
class Facts:
    """What the local cloud knows of its resources beyond the request; the authority keeps it."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """A resource's ARN to the ARN of the KMS key that encrypts it."""
    bucket_keys: frozenset[str] = frozenset()
    """The ARNs of the buckets that use an S3 Bucket Key."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """`alias/name` to the ARN of the KMS key."""
    partition_keys: Mapping[str, str] = field(default_factory=dict)
    """A table's ARN to the name of its partition key."""


@dataclass(frozen=True)
class Request:
    """One API call: botocore's names and parameters, and where it arrived."""

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str
    facts: Facts = field(default_factory=Facts)

    def text(self, name: str) -> str:
        """The parameter as text; empty when it is not there (the service refuses that call later, by itself)."""
        value = self.params.get(name)
        return value if isinstance(value, str) else ""

    def arn(self, service: str, rest: str) -> str:
        """The ARN of `rest` in this account and region; `rest` itself when it is an ARN already."""
        return (
            rest if rest.startswith("arn:") else f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"
        )

    def named(self, service: str, kind: str, name: str) -> str:
        """The ARN of the resource `name`, which may be given as an ARN; `kind` is what stands before the name."""
        return name if name.startswith("arn:") else self.arn(service, kind + name)

    @property
    def partition(self) -> str:
        """`aws`, or what AWS calls its separate parts of the world."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rpartition("-")[0].rpartition("-")[0], "aws")

    def key_check(self, action: str, key_arn: str, via: str, encryption: Mapping[str, str]) -> Check:
        """A KMS permission that the service `via` (`s3`) needs to have the caller's consent for."""
        context: dict[str, Values] = {"kms:viaservice": f"{via}.{self.region}.amazonaws.com"}
        return Check(f"kms:{action}", key_arn, context | encryption_context(self.account, encryption), forwarded=True)


Mapper = Callable[[Request], Sequence[Check]]
"""What an operation needs; an empty answer is an operation that everyone may call."""


def encryption_context(account: str, pairs: Mapping[str, str]) -> dict[str, Values]:
    """What a request to KMS says of its caller's account and its encryption context."""
    found: dict[str, Values] = {f"kms:encryptioncontext:{name.lower()}": value for name, value in pairs.items()}
    found["kms:calleraccount"] = account
    if pairs:
        found["kms:encryptioncontextkeys"] = tuple(pairs)
    return found


def tags_context(tags: object) -> dict[str, Values]:
    """`aws:RequestTag/…` and `aws:TagKeys` for tags as a list of Key and Value, or as an object."""
    if isinstance(tags, Mapping):
        pairs = {str(key): str(value) for key, value in tags.items()}
    else:
        listed = tags if isinstance(tags, list) else []
        pairs = dict(_pair(tag) for tag in listed if isinstance(tag, Mapping))
    if not pairs:
        return {}
    found: dict[str, Values] = {f"aws:requesttag/{key.lower()}": value for key, value in pairs.items()}
    return found | {"aws:tagkeys": tuple(pairs)}


def _pair(tag: Mapping[str, object]) -> tuple[str, str]:
    by_name = {name.lower(): value for name, value in tag.items()}
    return str(by_name.get("key", by_name.get("tagkey", ""))), str(by_name.get("value", by_name.get("tagvalue", "")))


def anywhere(service: str, operations: Iterable[str]) -> dict[str, Mapper]:
    """Operations whose action has their own name and knows no resource: it is checked on `*`."""
    return {name: _fixed(Check(f"{service}:{name}")) for name in operations}


def _fixed(check: Check) -> Mapper:
    return lambda _request: (check,)


def on(service: str, resource: Callable[[Request], str], operations: Iterable[str]) -> dict[str, Mapper]:
    """Operations whose action has their own name, on the one resource that the request names."""
    return {name: action(f"{service}:{name}", resource) for name in operations}


def action(name: str, resource: Callable[[Request], str]) -> Mapper:
    """An operation that needs the action `name` on the resource that the request names."""
    return lambda request: (Check(name, resource(request), tags_context(request.params.get("Tags"))),)


def passes(role_arn: object, service: str) -> list[Check]:
    """What handing a role to a service needs: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html."""
    if not isinstance(role_arn, str) or not role_arn:
        return []
    return [Check("iam:PassRole", role_arn, {"iam:passedtoservice": service})]
