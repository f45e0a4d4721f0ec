"""CloudWatch Logs has room for ten resource policies an account and region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_names, stack_resources
from modelwright.client.doctor.findings import Examination, Finding, failure, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 10
"""Resource policies an account and region; no quota that could be raised:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
_TYPE = "AWS::Logs::ResourcePolicy"


def check_log_policies(about: Examination) -> Iterator[Finding]:
    """The data stack adds one, unless it is there."""
    shared = stack_names(about.settings.name, "-")[0]
    if stack_resources(about.session, shared).get(_TYPE):
        return
    client, found, token = about.session.client("logs"), 0, None
    while True:
        answer = client.describe_resource_policies(**({"nextToken": token} if token else {}))
        found, token = found + len(answer["resourcePolicies"]), answer.get("nextToken")
        if not token:
            break
    if found < _MOST:
        yield ok("log policies", f"{found} of the {_MOST} resource policies of CloudWatch Logs are taken.")
        return
    yield failure(
        "log policies",
        f"all {_MOST} resource policies of CloudWatch Logs in {about.settings.region} are taken; {shared} needs one.",
        "`aws logs describe-resource-policies` lists them; join two, or delete one that nothing needs.",
    )
