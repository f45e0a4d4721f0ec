"""The template against what the local cloud can make of it, and what two trees say twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from template_queries import read_stack, read_stacks

from modelwright.client.checks.policies import SWITCH
from modelwright.client.deployment import _OUTPUTS
from modelwright.client.runs.events import MERGE, SOURCE
from modelwright.local.iam.keys import MULTIPLE, PREFIXES, SINGLE
from modelwright.local.template.registry import handlers
from stacks import policy_checks
from stacks.names import PipelineNames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_every_resource_type_has_a_declared_level(assembly: Path) -> None:
    types = {resource["Type"] for stack in read_stacks(assembly) for _, resource in stack.resources()}
    assert types - set(handlers()) == set()


def conditions(value: object) -> Iterator[str]:
    """Every condition key of every policy in a template."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "Condition" and isinstance(item, dict):
                yield from (key for keys in item.values() for key in keys)
            else:
                yield from conditions(item)
    elif isinstance(value, list):
        for item in value:
            yield from conditions(item)


def test_every_condition_key_is_one_that_the_local_cloud_supplies(assembly: Path) -> None:
    known = {key.lower() for key in (*SINGLE, *MULTIPLE)}
    prefixes = tuple(prefix.lower() for prefix in PREFIXES)
    found = {key for stack in read_stacks(assembly) for key in conditions(stack.body)}
    assert {key for key in found if key.lower() not in known and not key.lower().startswith(prefixes)} == set()
    assert len(found) > 5


def test_the_switch_of_the_policy_checks_has_one_name() -> None:
    assert SWITCH == policy_checks.SWITCH


def test_the_command_line_finds_every_output(assembly: Path) -> None:
    stack = read_stack(assembly, PipelineNames("dev", "penguins").stack)
    assert set(_OUTPUTS.values()) <= set(stack.body["Outputs"])


@pytest.mark.parametrize("field", ["source", "detail-type"])
def test_a_merge_that_the_command_line_announces_is_the_one_that_the_rule_waits_for(assembly: Path, field: str) -> None:
    _, rule = read_stack(assembly, "mw-dev-penguins").one("AWS::Events::Rule", EventBusName="<SharedEventBusName>")
    assert rule["EventPattern"][field] == [{"source": SOURCE, "detail-type": MERGE}[field]]
