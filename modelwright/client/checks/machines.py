"""The state machines of the templates as they are written: states, and what stands behind each placeholder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.templates import Template


@dataclass(frozen=True)
class Machine:
    """One state machine."""

    where: str
    """`<stack>/<resource>`."""
    template: Template
    definition: Mapping[str, Any]
    """With its placeholders: `${ProcessingRoleArn}`."""
    substitutions: Mapping[str, Any]
    """What the placeholders stand for: texts and intrinsic functions."""

    @property
    def states(self) -> Mapping[str, Mapping[str, Any]]:
        """The states of the top level, by name."""
        found: Mapping[str, Mapping[str, Any]] = self.definition["States"]
        return found

    def is_role_of_ours(self, value: Any) -> bool:
        """Say whether `value` is a placeholder that stands for a role of the same template."""
        if not (isinstance(value, str) and value.startswith("${") and value.endswith("}")):
            return False
        match self.substitutions.get(value[2:-1]):
            case {"Fn::GetAtt": [name, "Arn"]}:
                resource: Mapping[str, Any] = self.template.body["Resources"].get(name, {})
                return resource.get("Type") == "AWS::IAM::Role"
        return False


def machines(templates: Sequence[Template]) -> Iterator[Machine]:
    """Yield every state machine of the templates."""
    for template in templates:
        for logical_id, resource in template.resources("AWS::StepFunctions::StateMachine"):
            properties = resource["Properties"]
            definition = json.loads(properties["DefinitionString"])
            substitutions = properties.get("DefinitionSubstitutions", {})
            yield Machine(f"{template.stack}/{logical_id}", template, definition, substitutions)


def tasks(states: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and state of every task, at any depth."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        for inner in (state.get("ItemProcessor"), *state.get("Branches", [])):
            if inner:
                yield from tasks(inner["States"])
