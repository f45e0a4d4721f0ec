"""Policy statements, written out: actions and resources by name, each with a `Sid` that says what it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from aws_cdk import Aws

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCOUNT_ONLY: Mapping[str, Mapping[str, str]] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
"""The service acts for this account: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"""


NO_RESOURCE = "the action knows no resource"
"""Why a statement is about `*`: https://docs.aws.amazon.com/service-authorization/latest/reference/ says so."""


@dataclass(frozen=True)
class Statement:
    """One statement; one with a `principal` belongs to a resource's policy, one without to a role's."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    principal: Mapping[str, str] | str | None = None
    why: str = ""
    """The reason of the wildcards in `resources`, without which none is allowed."""
    but: tuple[str, ...] = ()
    """Instead of `actions`, in a denial: every action that is not one of these, also one that AWS adds later."""

    def __post_init__(self) -> None:
        """Refuse an identity policy's wildcard that nobody gave a reason for."""
        if bool(self.but) == bool(self.actions) or (self.but and self.effect != "Deny"):
            raise ValueError(f"{self.sid}: a statement has actions; one that denies may have `but` instead.")
        if any(_wild(action) for action in self.actions) and self.principal is None:
            raise ValueError(f"{self.sid}: the actions {', '.join(self.actions)} hold a wildcard; write them out.")
        if self.wildcards and not self.why:
            raise ValueError(f"{self.sid}: {', '.join(self.wildcards)} is a wildcard without a reason (`why`).")

    @property
    def wildcards(self) -> tuple[str, ...]:
        """The resources of an identity policy's statement that are patterns."""
        return () if self.principal is not None else tuple(name for name in self.resources if _wild(name))

    def to_json(self) -> dict[str, Any]:
        """Return the statement as IAM reads it."""
        body: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect}
        if self.principal is not None:
            body["Principal"] = self.principal
        body["NotAction" if self.but else "Action"] = _one_or_all(self.but or self.actions)
        body["Resource"] = _one_or_all(self.resources)
        if self.conditions:
            body["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return body


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return the policy document of `statements`."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


def trust(service: str, conditions: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """Return the trust policy that lets `service` (`sagemaker`, `states`, …) take a role, under `conditions`."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if conditions:
        statement["Condition"] = {operator: dict(keys) for operator, keys in conditions.items()}
    return {"Version": "2012-10-17", "Statement": [statement]}


def arn(service: str, resource: str, *, region: str = Aws.REGION, account: str = Aws.ACCOUNT_ID) -> str:
    """Return the ARN of `resource` in this account and region, whichever they are."""
    return f"arn:{Aws.PARTITION}:{service}:{region}:{account}:{resource}"


def bucket_arn(name: str) -> str:
    """Return the ARN of the bucket `name`."""
    return arn("s3", name, region="", account="")


def objects(name: str, *prefixes: str) -> tuple[str, ...]:
    """Return the ARNs of all objects of the bucket `name` under `prefixes`."""
    return tuple(arn("s3", f"{name}/{prefix}*", region="", account="") for prefix in prefixes)


def tls_only(action: str, *resources: str) -> Statement:
    """Refuse whatever does not come encrypted.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    return Statement(
        "TlsOnly",
        (action,),
        resources,
        {"Bool": {"aws:SecureTransport": "false"}},
        effect="Deny",
        principal="*" if action == "s3:*" else {"AWS": "*"},
    )


def _wild(text: str) -> bool:
    return "*" in text or "?" in text


def _one_or_all(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
