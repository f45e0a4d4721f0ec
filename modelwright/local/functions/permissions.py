"""The policy of a function: who besides its own account's roles may invoke it.

https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from modelwright.local.functions.refusals import invalid, refuse_unknown
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SID = re.compile(r"[a-zA-Z0-9-_]{1,100}")
_ACTION = re.compile(r"lambda:(\*|[a-zA-Z]+)")
_DOES = {"FunctionName", "StatementId", "Action", "Principal", "SourceArn", "SourceAccount"}


def statement(arn: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that AddPermission's parameters describe; AwsError for what is wrong or not supported."""
    refuse_unknown(params, _DOES)
    if not _SID.fullmatch(params["StatementId"]):
        raise invalid(f"StatementId is {params['StatementId']!r}; it must be 1 to 100 of letters, digits, - and _")
    if not _ACTION.fullmatch(params["Action"]):
        raise invalid(f"Action is {params['Action']!r}; it must be lambda:<action>")
    principal = params["Principal"]
    condition: dict[str, dict[str, str]] = {}
    if "SourceArn" in params:
        condition["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    if "SourceAccount" in params:
        condition["StringEquals"] = {"AWS:SourceAccount": params["SourceAccount"]}
    made: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(principal),
        "Action": params["Action"],
        "Resource": arn,
    }
    return {**made, "Condition": condition} if condition else made


def with_statement(policy: Mapping[str, Any] | None, added: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy with one more statement; AwsError when there is one of that Sid."""
    statements = list(policy["Statement"]) if policy else []
    if any(each["Sid"] == added["Sid"] for each in statements):
        message = (
            f"The statement id ({added['Sid']}) provided already exists. Please provide a new statement id, or remove "
            "the existing statement."
        )
        raise AwsError("ResourceConflictException", message, 409, {"Type": "User"})
    return {"Version": "2012-10-17", "Id": "default", "Statement": [*statements, dict(added)]}


def without_statement(policy: Mapping[str, Any] | None, sid: str) -> dict[str, Any] | None:
    """Return the policy without a statement, None when it was the last; AwsError when there is none of that Sid."""
    statements = list(policy["Statement"]) if policy else []
    kept = [each for each in statements if each["Sid"] != sid]
    if len(kept) == len(statements):
        message = f"Statement {sid} is not found in resource policy."
        raise AwsError("ResourceNotFoundException", message, 404, {"Type": "User"})
    return {**policy, "Statement": kept} if policy and kept else None


def text(policy: Mapping[str, Any]) -> str:
    """Return the policy as GetPolicy answers it."""
    return json.dumps(policy, separators=(",", ":"))


def _principal(given: str) -> Any:
    if given == "*":
        return "*"
    if re.fullmatch(r"\d{12}", given):
        return {"AWS": f"arn:aws:iam::{given}:root"}
    return {"AWS": given} if given.startswith("arn:") else {"Service": given}
