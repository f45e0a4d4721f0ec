"""Policies that are resources of their own: attached to roles wherever those lie, and several on one bus."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tiny_assembly import allow, policy, role

from modelwright.local.template.intrinsics import TemplateError

BUS = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "bus"}}


def role_at(path: str) -> dict[str, Any]:
    found = role("lambda")
    return {**found, "Properties": {**found["Properties"], "Path": path}}


def attached(roles: list[Any]) -> dict[str, Any]:
    document = policy(allow("sns:ListTopics", "*"))
    properties = {"PolicyName": "P", "Roles": roles, "PolicyDocument": document}
    return {"Type": "AWS::IAM::Policy", "Properties": properties}


def lists_topics(world: Any, path: str) -> None:
    arn = f"arn:aws:iam::{world.cloud.account}:role{path}{world.physical('s')['R']}"
    world.cloud.client("sns", arn).list_topics()


def test_a_policy_is_attached_to_a_role_by_its_name_wherever_it_lies(world: Any) -> None:
    world.deploy({"s": {"R": role_at("/service-role/team/"), "P": attached([{"Ref": "R"}])}})
    lists_topics(world, "/service-role/team/")
    world.deploy({"s": {"R": role_at("/service-role/team/")}})
    with pytest.raises(ClientError, match="not authorized to perform: sns:ListTopics"):
        lists_topics(world, "/service-role/team/")


def test_a_role_that_moves_is_not_at_its_old_path_any_more(world: Any) -> None:
    world.deploy({"s": {"R": role_at("/old/"), "P": attached([{"Ref": "R"}])}})
    world.deploy({"s": {"R": role_at("/new/"), "P": attached([{"Ref": "R"}])}})
    lists_topics(world, "/new/")
    with pytest.raises(ClientError, match="there is no role"):
        lists_topics(world, "/old/")


def test_a_policy_of_a_role_that_is_not_there_says_so(world: Any) -> None:
    said = r"s: P \(AWS::IAM::Policy\): The role with name nobody cannot be found"
    with pytest.raises(TemplateError, match=said):
        world.deploy({"s": {"P": attached(["nobody"])}})


def bus_policy(world: Any, statement_id: str, name: str) -> dict[str, Any]:
    """Lets one role put events on the bus."""
    bus = {"Fn::GetAtt": ["Bus", "Arn"]}
    principal = {"AWS": f"arn:aws:iam::{world.cloud.account}:role/{name}"}
    statement = allow("events:PutEvents", bus, Principal=principal)
    properties = {"EventBusName": {"Ref": "Bus"}, "StatementId": statement_id, "Statement": statement}
    return {"Type": "AWS::Events::EventBusPolicy", "Properties": properties}


def puts_event(world: Any, name: str) -> None:
    arn = f"arn:aws:iam::{world.cloud.account}:role/{name}"
    if not world.cloud.iam.role_named(name):
        world.cloud.iam.put_role(arn, role("lambda")["Properties"]["AssumeRolePolicyDocument"], {})
    entry = {"EventBusName": "bus", "Source": "s", "DetailType": "d", "Detail": "{}"}
    world.cloud.client("events", arn).put_events(Entries=[entry])


def test_each_policy_of_a_bus_adds_its_statement(world: Any) -> None:
    one, two = bus_policy(world, "One", "first"), bus_policy(world, "Two", "second")
    world.deploy({"s": {"Bus": BUS, "A": one, "B": two}})
    puts_event(world, "first")
    puts_event(world, "second")
    world.deploy({"s": {"Bus": BUS, "B": two}})
    puts_event(world, "second")
    with pytest.raises(ClientError, match="not authorized to perform: events:PutEvents"):
        puts_event(world, "first")


def test_a_bus_that_is_made_anew_begins_without_policies(world: Any) -> None:
    world.deploy({"s": {"Bus": BUS, "A": bus_policy(world, "One", "first")}})
    world.deploy({"s": {"T": {"Type": "AWS::SNS::Topic"}}})
    world.deploy({"s": {"Bus": BUS}})
    with pytest.raises(ClientError, match="not authorized to perform: events:PutEvents"):
        puts_event(world, "first")


def test_a_statement_id_is_one_of_all_stacks_and_buses(world: Any) -> None:
    """CloudFormation takes it for the physical id: https://github.com/aws/aws-cdk/pull/38655."""
    one = {"Bus": BUS, "A": bus_policy(world, "Same", "first")}
    with pytest.raises(TemplateError, match="Same already exists in stack s: it is A"):
        world.deploy({"s": {**one, "B": bus_policy(world, "Same", "second")}})
