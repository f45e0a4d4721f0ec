"""EventBridge: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html."""

from __future__ import annotations

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, on, passes, tags_context

_DEFAULT = "default"


def _bus(request: Request, name: str) -> str:
    return request.named("events", "event-bus/", name or _DEFAULT)


def _named_bus(request: Request) -> str:
    return _bus(request, request.text("Name"))


def _rule(request: Request) -> str:
    """A rule on the default bus has no bus in its ARN: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html."""
    bus = _bus(request, request.text("EventBusName")).rpartition("event-bus/")[2]
    name = request.text("Name") or request.text("Rule")
    return request.arn("events", f"rule/{name}" if bus == _DEFAULT else f"rule/{bus}/{name}")


def _put_events(request: Request) -> list[Check]:
    return [
        Check(
            "events:PutEvents",
            _bus(request, str(entry.get("EventBusName") or "")),
            {"events:source": str(entry.get("Source", "")), "events:detail-type": str(entry.get("DetailType", ""))},
        )
        for entry in request.params.get("Entries") or []
    ]


def _put_rule(request: Request) -> list[Check]:
    found = [Check("events:PutRule", _rule(request), tags_context(request.params.get("Tags")))]
    return found + passes(request.params.get("RoleArn"), "events.amazonaws.com")


def _put_targets(request: Request) -> list[Check]:
    found = [Check("events:PutTargets", _rule(request))]
    for target in request.params.get("Targets") or []:
        found += passes(target.get("RoleArn"), "events.amazonaws.com")
    return found


_ON_RULE = ("DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "ListTargetsByRule", "RemoveTargets")

OPERATIONS: dict[str, Mapper] = {
    **on("events", _rule, _ON_RULE),
    **on("events", _named_bus, ("CreateEventBus", "DeleteEventBus", "DescribeEventBus", "UpdateEventBus")),
    **on(
        "events", lambda request: request.text("ResourceARN"), ("ListTagsForResource", "TagResource", "UntagResource")
    ),
    **anywhere("events", ("ListEventBuses", "ListRuleNamesByTarget", "ListRules", "TestEventPattern")),
    "PutEvents": _put_events,
    "PutRule": _put_rule,
    "PutTargets": _put_targets,
}
