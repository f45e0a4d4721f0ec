"""EventBridge buses, rules and schedules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import Direct
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_bus(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "events").delete_event_bus(Name=physical.id)


@resource("AWS::Events::EventBus", Level.RUNS, "takes events; rules on it fire", remove=_remove_bus)
def put_bus(cloud: Cloud, resource: Resource) -> Physical:
    """An event bus."""
    resource.only("Name", "Description", "Tags")
    name, client = resource.required("Name"), Direct(cloud, "events")
    if name not in {bus["Name"] for bus in client.list_event_buses()["EventBuses"]}:
        client.create_event_bus(Name=name)
    return Physical(name, {"Arn": f"arn:aws:events:{cloud.region}:{cloud.account}:event-bus/{name}", "Name": name})


def _bus_arn(cloud: Cloud, bus: str) -> str:
    return f"arn:aws:events:{cloud.region}:{cloud.account}:event-bus/{bus}"


def _remove_bus_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    bus = resource.properties.get("EventBusName", "default")
    cloud.iam.put_resource_statement(_bus_arn(cloud, bus), resource.required("StatementId"), None)


@resource(
    "AWS::Events::EventBusPolicy",
    Level.ENFORCED,
    "checked when a caller puts events on the bus",
    remove=_remove_bus_policy,
)
def put_bus_policy(cloud: Cloud, resource: Resource) -> Physical:
    """Who may put events: a statement of the bus' policy, beside those of others.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
    """
    resource.only("EventBusName", "Statement", "StatementId")
    bus = resource.properties.get("EventBusName", "default")
    statement_id = resource.required("StatementId")
    cloud.iam.put_resource_statement(_bus_arn(cloud, bus), statement_id, resource.required("Statement"))
    return Physical(f"{bus}-{statement_id}")


def _remove_rule(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    client, bus, name = Direct(cloud, "events"), physical.attributes["Bus"], physical.attributes["Name"]
    targets = client.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
    if targets:
        client.remove_targets(Rule=name, EventBusName=bus, Ids=[target["Id"] for target in targets])
    client.delete_rule(Name=name, EventBusName=bus)


@resource(
    "AWS::Events::Rule",
    Level.RUNS,
    "patterns, input transformers, retries and dead letters; schedules by the local cloud's clock while it is up",
    remove=_remove_rule,
)
def put_rule(cloud: Cloud, resource: Resource) -> Physical:
    """A rule with its targets."""
    resource.only(
        "Name",
        "Description",
        "EventBusName",
        "EventPattern",
        "ScheduleExpression",
        "State",
        "Targets",
        "Tags",
    )
    name = resource.properties.get("Name") or resource.name(64)
    bus = str(resource.properties.get("EventBusName", "default")).rsplit("/", 1)[-1]
    request: dict[str, Any] = {
        key: resource.properties[key]
        for key in ("Description", "ScheduleExpression", "State")
        if key in resource.properties
    }
    if "EventPattern" in resource.properties:
        request["EventPattern"] = json.dumps(resource.properties["EventPattern"])
    client = Direct(cloud, "events")
    client.put_rule(Name=name, EventBusName=bus, **request)
    _put_targets(client, name, bus, resource.properties.get("Targets", []))
    path = name if bus == "default" else f"{bus}/{name}"
    arn = f"arn:aws:events:{cloud.region}:{cloud.account}:rule/{path}"
    return Physical(name if bus == "default" else f"{bus}|{name}", {"Arn": arn, "Name": name, "Bus": bus})


def _put_targets(client: Any, rule: str, bus: str, targets: list[dict[str, Any]]) -> None:
    """Give the rule these targets and no others."""
    wanted = {target["Id"] for target in targets}
    known = client.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
    stale = [target["Id"] for target in known if target["Id"] not in wanted]
    if stale:
        client.remove_targets(Rule=rule, EventBusName=bus, Ids=stale)
    if targets:
        client.put_targets(Rule=rule, EventBusName=bus, Targets=targets)
