"""A custom name belongs to one resource of all stacks, as CloudFormation has it."""

from __future__ import annotations

from typing import Any

import pytest

from modelwright.local.template.intrinsics import TemplateError


def queue(name: str) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}


def rule(bus: str) -> dict[str, Any]:
    properties = {"Name": "same", "EventBusName": bus, "EventPattern": {"source": ["s"]}}
    return {"Type": "AWS::Events::Rule", "Properties": properties}


def queues(world: Any) -> list[str]:
    return [url.rpartition("/")[2] for url in world.client("sqs").list_queues().get("QueueUrls", [])]


def test_two_resources_of_a_stack_cannot_have_one_name(world: Any) -> None:
    with pytest.raises(TemplateError, match=r"s: B \(AWS::SQS::Queue\): jobs already exists in stack s: it is A"):
        world.deploy({"s": {"A": queue("jobs"), "B": queue("jobs")}})


def test_nor_can_those_of_two_stacks(world: Any) -> None:
    world.deploy({"s": {"A": queue("jobs")}})
    with pytest.raises(TemplateError, match=r"t: B \(AWS::SQS::Queue\): jobs already exists in stack s: it is A"):
        world.deploy({"s": {"A": queue("jobs")}, "t": {"B": queue("jobs")}})
    assert queues(world) == ["jobs"]


def test_another_logical_id_takes_no_name_over(world: Any) -> None:
    """CloudFormation makes the new one first; here, it went with the old one's removal."""
    world.deploy({"s": {"A": queue("jobs")}})
    with pytest.raises(TemplateError, match="jobs already exists in stack s: it is A"):
        world.deploy({"s": {"B": queue("jobs")}})
    assert queues(world) == ["jobs"]
    world.deploy({"s": {"B": queue("others")}})
    assert queues(world) == ["others"]


def test_a_name_is_one_of_its_type_and_a_rules_one_of_its_bus(world: Any) -> None:
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "bus"}}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "same"}}
    both = {
        "Q": queue("same"),
        "T": topic,
        "Bus": bus,
        "One": rule("default"),
        "Two": {**rule("bus"), "DependsOn": "Bus"},
    }
    assert world.deploy({"s": both}).created == ("s",)
    assert world.deploy({"s": both}).unchanged == ("s",)
