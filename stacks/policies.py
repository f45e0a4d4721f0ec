"""Policy statements, written out: actions and resources by name, each with a `Sid` that says what it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from aws_cdk import Aws

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCOUNT_ONLY: Mapping[str, Mapping[str, str]] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
"""The service acts for this account: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"""


@dataclass(frozen=True)
class Statement:
    """One statement of an identity policy; `principal` and `effect` are for the others."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    principal: Mapping[str, str] | str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the statement as IAM reads it."""
        body: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect}
        if self.principal is not None:
            body["Principal"] = self.principal
        body["Action"] = _one_or_all(self.actions)
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


def _one_or_all(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
