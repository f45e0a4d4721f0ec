"""cdk-nag's packs, and how a finding of any tool is accepted: its exact id, one resource, a reason.

A finding that nobody accepted makes `modelwright synth --check` fail, and so does an acceptance of what is not found:
https://github.com/cdklabs/cdk-nag
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import App, CfnResource

    from stacks.policies import Statement

SWITCH = "modelwright:policy-checks"
"""The context value that switches the checks on; they take longer than all the rest of the synth."""
_PACKS = ("AwsSolutions", "NIST.800.53.R5", "Serverless")
"""What the ids of the three packs' rules begin with; cdk-nag gives its plug-ins the same names."""
_METADATA = "modelwright"
"""The key of a resource's metadata that holds its acceptances, for `modelwright.client.checks`."""


def check_policies(app: App) -> None:
    """Add the packs to `app` when the context asks for them."""
    if not app.node.try_get_context(SWITCH):
        return
    from aws_cdk import Validations  # noqa: PLC0415 # only when switched on
    from cdk_nag import (  # noqa: PLC0415 # loading it takes a second
        AwsSolutionsChecks,
        NIST80053R5Checks,
        ServerlessChecks,
    )

    Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app), ServerlessChecks(app))


def accept(resource: CfnResource, finding: str, reason: str) -> None:
    """Accept one of cdk-nag's findings (`AwsSolutions-SQS3`) on one resource; noted, so that a stale one is found."""
    if not resource.node.try_get_context(SWITCH):
        return
    from aws_cdk import Acknowledgment, Validations  # noqa: PLC0415 # only when switched on

    pack = next((name for name in _PACKS if finding.startswith(f"{name}-")), None)
    if pack is None:
        raise ValueError(f"{finding} is no rule of {', '.join(_PACKS)}.")
    Validations.of(resource).acknowledge(Acknowledgment(id=f"{pack}::{finding}", reason=reason))
    accept_found(resource, "cdk-nag", {finding: reason})


def accept_all(resource: CfnResource, reasons: Mapping[str, str]) -> None:
    """Accept several of cdk-nag's findings on one resource."""
    for finding, reason in reasons.items():
        accept(resource, finding, reason)


def accept_found(resource: CfnResource, tool: str, reasons: Mapping[str, str]) -> None:
    """Accept findings that `modelwright.client.checks` makes or reads: of `parliament`, `quotas`, `lifetimes`, ….

    The resource's metadata holds them: `{"modelwright": {<tool>: {<id>: <reason>}}}`.
    """
    known = dict(resource.get_metadata(_METADATA) or {})
    resource.add_metadata(_METADATA, known | {tool: known.get(tool, {}) | dict(reasons)})


def accept_checkov(resource: CfnResource, reasons: Mapping[str, str]) -> None:
    """Accept findings of checkov on one resource: its own notation, so that it holds whoever runs it.

    https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html
    """
    skipped = [{"id": id_, "comment": reason} for id_, reason in reasons.items()]
    resource.add_metadata("checkov", {"skip": skipped})


def accept_lint(resource: CfnResource, reasons: Mapping[str, str]) -> None:
    """Accept findings of cfn-lint on one resource: `E3601[States/TrainModel/TimeoutSeconds]`.

    cfn-lint itself can only switch a whole rule off, so `modelwright.client.checks` reads these.
    """
    accept_found(resource, "cfn-lint", reasons)


def accept_wildcards(role: CfnResource, statements: Iterable[Statement]) -> None:
    """Accept the wildcards in a role's policy, each with the reason that its statement gives."""
    if not role.node.try_get_context(SWITCH):
        return
    reasons: dict[str, list[str]] = {}
    for statement in statements:
        for resource in (item for item in statement.wildcards if "*" in item):  # cdk-nag takes `?` for a letter
            shown = _shown(role.stack.resolve(resource))
            reasons.setdefault(shown, []).append(f"{statement.sid}: {statement.why}")
    for shown, given in reasons.items():
        accept(role, f"AwsSolutions-IAM5[Resource::{shown}]", "; ".join(given))


_PARLIAMENT = {
    "states:DescribeExecution": (
        "RESOURCE_MISMATCH",
        "parliament wants an ARN of each kind that the action takes; ours are standard executions, never express ones",
    ),
}
"""Actions of which parliament wants more than AWS does."""
_PACKAGE_GROUP = "earlier references list the group beside the package, and it may still be asked"


def accept_overdone(role: CfnResource, statements: Iterable[Statement]) -> None:
    """Accept what validators say of single actions of a role, where the statement is as AWS wants it."""
    for statement in statements:
        for action in statement.actions:
            if action in _PARLIAMENT:
                rule, reason = _PARLIAMENT[action]
                accept_found(role, "parliament", {f"{rule}[{statement.sid}/{action}]": reason})
        if "ec2:DeleteNetworkInterfacePermission" in statement.actions:
            accept_checkov(role, {"CKV_AWS_109": statement.why})
        if "sagemaker:CreateModelPackage" in statement.actions:
            groups = (item.rpartition(":")[2] for item in statement.resources if ":model-package-group/" in item)
            unused = {f"unused[{statement.sid}/{group}]": _PACKAGE_GROUP for group in groups}
            accept_found(role, "authorizations", unused)


def _shown(value: Any) -> str:
    """A resolved ARN as cdk-nag writes it: `<Name>` for a reference."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_shown(part) for part in parts)
        case str():
            return value
    raise ValueError(f"{value!r} in an ARN has no name in cdk-nag's findings.")
