"""State machines log by log delivery, which needs a resource policy of CloudWatch Logs: there is room for ten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.doctor.findings import Examination, Finding, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 10
"""Without the ARN of a log group, an account and region:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html"""
_DELIVERY = "delivery.logs.amazonaws.com"
"""Who delivers: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html"""


def check_log_policies(about: Examination) -> Iterator[Finding]:
    """When nothing lets log delivery write yet, making the first state machine that logs adds a policy.

    https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
    """
    policies = [policy for policy in _policies(about) if not policy.get("resourceArn")]
    if any(_DELIVERY in policy.get("policyDocument", "") for policy in policies):
        yield ok("log policies", "log delivery may write already.")
    elif len(policies) < _MOST:
        yield ok("log policies", f"{len(policies)} of the {_MOST} resource policies of CloudWatch Logs are taken.")
    else:
        yield warning(
            "log policies",
            f"all {_MOST} resource policies of CloudWatch Logs in {about.settings.region} are taken, and none lets log "
            "delivery write: making a state machine that logs may be refused.",
            "`aws logs describe-resource-policies` lists them; join two, or delete one that nothing needs.",
        )


def _policies(about: Examination) -> Iterator[Mapping[str, Any]]:
    """The operation has no paginator in botocore."""
    client, token = about.session.client("logs"), None
    while True:
        answer = client.describe_resource_policies(**({"nextToken": token} if token else {}))
        yield from answer["resourcePolicies"]
        token = answer.get("nextToken")
        if not token:
            return
