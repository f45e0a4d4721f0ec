"""What `with_optional` writes is read back."""

from __future__ import annotations

from typing import Any

import pytest

from modelwright.client.checks.literals import Merged, merged, whole
from modelwright.workflow.expressions import jsonata, with_optional


@pytest.mark.parametrize(
    "fixed",
    [
        {"A": "text", "B": 1, "C": True, "D": None},
        {"A": jsonata("$plan.x"), "B": {"C": [jsonata("$join(['a', 'b'], ',')"), "d, e"]}},
        {"A": 'it\'s "quoted", {and} [bracketed]: \\', "B": jsonata("$x ? 'a: b' : {'c': 1}.c")},
        {"Tags": [{"Key": "k", "Value": jsonata("$plan.run.id")}]},
        {},
    ],
)
def test_the_fields_of_an_optional_object_are_known(fixed: dict[str, Any]) -> None:
    assert merged(with_optional(fixed, "$plan.deploy.volume_key")) == Merged(fixed, ("$plan.deploy.volume_key",))


def test_a_plain_object_is_known_whole() -> None:
    assert merged({"A": 1}) == Merged({"A": 1})


@pytest.mark.parametrize("value", ["{% $plan.resources %}", "text", 1, None, [1]])
def test_of_anything_else_nothing_is_known(value: Any) -> None:
    assert merged(value) is None


def test_merged_objects_are_replaced_at_any_depth() -> None:
    inner = with_optional({"InstanceType": "ml.m5.large"}, "$plan.x.volume_key")
    found = whole({"ProcessingResources": {"ClusterConfig": inner}, "L": [inner], "E": "{% $x %}"})
    known = {"InstanceType": "ml.m5.large"}
    assert found == {"ProcessingResources": {"ClusterConfig": known}, "L": [known], "E": "{% $x %}"}
