"""What every request says of itself, whatever it asks for: the global condition keys, in lower case.

The local endpoint speaks HTTP on loopback: nothing leaves the machine, so it counts as secure transport. Otherwise the
TLS-only bucket policies that every account has would refuse each request (docs/adr/0004-enforced-policies.md).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from modelwright.local.iam.patterns import Values
    from modelwright.local.iam.principals import Principal

FORWARDERS = frozenset(
    f"{name}.amazonaws.com"
    for name in ("athena", "backup", "cloudformation", "dynamodb", "kms", "ram", "ssm-guiconnect")
)
"""Services that call others with the caller's own identity and are then named in `aws:CalledVia`.

Step Functions, SageMaker, Lambda and EventBridge are not among them: they assume a role.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia
"""


def of_request(region: str, now: datetime) -> dict[str, Values]:
    """What is true of every request."""
    return {
        "aws:securetransport": "true",
        "aws:requestedregion": region,
        "aws:currenttime": now.isoformat(),
        "aws:epochtime": str(int(now.timestamp())),
    }


def of_role(principal: Principal, via: str | None, *, direct: bool) -> dict[str, Values]:
    """What a session of a role adds; `direct`: the call is the caller's own, not one that a service makes for it."""
    found: dict[str, Values] = {
        "aws:principalaccount": principal.account,
        "aws:principalarn": principal.role_arn or principal.arn,
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false" if direct else "true",
    }
    if direct:
        found["aws:sourceip"] = "127.0.0.1"
    if via in FORWARDERS:
        chain: dict[str, Values] = {"aws:calledvia": (via,), "aws:calledviafirst": via, "aws:calledvialast": via}
        found |= chain
    return found


def of_service(service: str, account: str) -> dict[str, Values]:
    """What a service adds that calls in its own name, on behalf of a resource of `account`."""
    return {
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service,
        "aws:principalservicenameslist": (service,),
        "aws:viaawsservice": "false",
        "aws:sourceaccount": account,
    }
