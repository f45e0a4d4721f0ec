"""Step Functions: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, on, passes, tags_context

if TYPE_CHECKING:
    from collections.abc import Callable

_PARTS_OF_AN_ARN = 7


def _by(param: str) -> Callable[[Request], str]:
    return lambda request: request.text(param)


def _on_machine(name: str) -> Mapper:
    """A version or an alias of a machine is checked as the machine, with the qualifier beside it."""

    def mapper(request: Request) -> list[Check]:
        parts = request.text("stateMachineArn").split(":")
        qualifier = parts[_PARTS_OF_AN_ARN:]
        context = {"states:statemachinequalifier": qualifier[0]} if qualifier else {}
        return [Check(f"states:{name}", ":".join(parts[:_PARTS_OF_AN_ARN]), context)]

    return mapper


def _create(request: Request) -> list[Check]:
    target = request.arn("states", f"stateMachine:{request.text('name')}")
    found = [Check("states:CreateStateMachine", target, tags_context(request.params.get("tags")))]
    return found + passes(request.params.get("roleArn"), "states.amazonaws.com")


def _update(request: Request) -> list[Check]:
    found = [Check("states:UpdateStateMachine", request.text("stateMachineArn"))]
    return found + passes(request.params.get("roleArn"), "states.amazonaws.com")


_ON_EXECUTION = (
    "DescribeExecution",
    "DescribeStateMachineForExecution",
    "GetExecutionHistory",
    "ListMapRuns",
    "RedriveExecution",
    "StopExecution",
)
_ON_MACHINE = (
    "DeleteStateMachine",
    "DescribeStateMachine",
    "ListExecutions",
    "ListStateMachineAliases",
    "ListStateMachineVersions",
    "PublishStateMachineVersion",
    "StartExecution",
    "StartSyncExecution",
)
_ANYWHERE = (
    "ListActivities",
    "ListStateMachines",
    "SendTaskFailure",
    "SendTaskHeartbeat",
    "SendTaskSuccess",
    "ValidateStateMachineDefinition",
)

OPERATIONS: dict[str, Mapper] = {
    **on("states", _by("executionArn"), _ON_EXECUTION),
    **on("states", _by("resourceArn"), ("ListTagsForResource", "TagResource", "UntagResource")),
    **on("states", _by("mapRunArn"), ("DescribeMapRun", "UpdateMapRun")),
    **{name: _on_machine(name) for name in _ON_MACHINE},
    **anywhere("states", _ANYWHERE),
    "CreateStateMachine": _create,
    "UpdateStateMachine": _update,
}
