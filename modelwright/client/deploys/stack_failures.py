"""Why a stack is not well, in CloudFormation's own words: the cause, once, without what followed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import describe_stack
from modelwright.client.deploys.stack_states import GOOD, IN_PROGRESS, next_step
from modelwright.errors import DeployFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from modelwright.client.session import Session

_FAILED = frozenset({"CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "IMPORT_FAILED"})
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
_ECHO = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed")
"""What CloudFormation says of resources that failed because another one did."""
_AGAIN = "It was rolled back to what it was. Put that right, then deploy again."


def latest_events(session: Session, stacks: Iterable[str]) -> dict[str, str]:
    """Return the id of each stack's latest event, to tell later what is new; a stack that is not there has none."""
    found = {}
    for name in stacks:
        event = next(_events(session, name), None) if describe_stack(session, name) else None
        if event:
            found[name] = event["EventId"]
    return found


def why(
    session: Session, environment: str, stacks: Iterable[str], before: Mapping[str, str] | None = None
) -> DeployFailed | None:
    """Return the first thing that went wrong in the first of the stacks that is not well; None when all are.

    Only what came after the events of `before` counts.
    """
    for name in stacks:
        stack = describe_stack(session, name)
        if stack is None:
            continue
        event = first_failure(session, name, (before or {}).get(name))
        step = next_step(name, stack["StackStatus"], environment)
        if stack["StackStatus"] in GOOD and event is None:
            continue
        return DeployFailed(f"The stack {name} is {stack['StackStatus']}: {cause(stack, event)}", step or _AGAIN)
    return None


def cause(stack: Mapping[str, Any], event: Mapping[str, Any] | None) -> str:
    """Return why a stack is as it is, as the rest of a sentence."""
    if event:
        return _said(event)
    if stack["StackStatus"] in IN_PROGRESS:
        return "another deploy or removal of it is under way."
    return str(stack.get("StackStatusReason", "CloudFormation gives no reason."))


def first_failure(session: Session, stack: str, before: str | None = None) -> Mapping[str, Any] | None:
    """Return the cause of the last operation's failure: the earliest failed event since it began, echoes left out.

    Events that came before that with the id `before` do not count.
    """
    found = None
    for event in _events(session, stack):
        if event["EventId"] == before:
            return found
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"] in _FAILED and not reason.startswith(_ECHO):
            found = event
        if _began(event):
            return found
    return found


def _events(session: Session, stack: str) -> Iterator[Mapping[str, Any]]:
    """Newest first: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html.

    The local cloud has none: there the stack itself says its reason.
    """
    if session.is_local:
        return
    for page in session.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack):
        yield from page["StackEvents"]


def _began(event: Mapping[str, Any]) -> bool:
    """Whether this is the event with which the stack's last operation that a user asked for began."""
    is_stack = event["PhysicalResourceId"] == event["StackId"]
    return is_stack and event["ResourceStatus"] in _BEGINNINGS


def _said(event: Mapping[str, Any]) -> str:
    reason = " ".join(str(event.get("ResourceStatusReason", "no reason given")).split())
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
