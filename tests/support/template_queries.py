"""Questions to a synthesized template: found by type and property, never by an id."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def plain(value: Any) -> Any:
    """Return `value` with `<Name>` for each reference: `arn:<AWS::Partition>:s3:::<SharedDataBucket>/x`."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) in ({"Ref"}, {"Fn::Sub"}):
        return f"<{value['Ref']}>" if "Ref" in value else re.sub(r"\$\{([A-Za-z:.]+)\}", r"<\1>", value["Fn::Sub"])
    if set(value) == {"Fn::GetAtt"}:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if set(value) == {"Fn::Join"}:
        separator, parts = value["Fn::Join"]
        return separator.join(plain(part) for part in parts)
    return {key: plain(item) for key, item in value.items()}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Role:
    """A role's trust and its statements."""

    name: str
    trust: dict[str, Any]
    statements: tuple[dict[str, Any], ...]

    def allows(self, action: str, resource: str) -> bool:
        """Whether some statement allows it and none denies it, whatever the conditions of those that allow."""
        matching = [statement for statement in self.statements if _matches(statement, action, resource)]
        effects = {statement["Effect"] for statement in matching}
        return effects == {"Allow"}

    def actions(self) -> set[str]:
        """All actions that are allowed on something."""
        return {action for item in self.statements if item["Effect"] == "Allow" for action in as_list(item["Action"])}

    def statement(self, action: str) -> dict[str, Any]:
        """The one statement that has this action."""
        (found,) = (item for item in self.statements if action in as_list(item["Action"]))
        return found


def _matches(statement: dict[str, Any], action: str, resource: str) -> bool:
    actions = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement["Action"]))
    return actions and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))


@dataclass(frozen=True)
class Stack:
    """One stack's template."""

    name: str
    body: dict[str, Any]

    def all(self, type_: str) -> dict[str, dict[str, Any]]:
        """The properties of each resource of a type, by logical id; references as `plain` writes them."""
        return {
            logical_id: plain(resource.get("Properties", {}))
            for logical_id, resource in self.body["Resources"].items()
            if resource["Type"] == type_
        }

    def one(self, type_: str, **properties: Any) -> tuple[str, dict[str, Any]]:
        """The one resource of a type with these properties: its logical id and its properties."""
        found = [
            (logical_id, values)
            for logical_id, values in self.all(type_).items()
            if all(values.get(key) == value for key, value in properties.items())
        ]
        assert len(found) == 1, f"{len(found)} of {type_} with {properties} in {self.name}"
        return found[0]

    def resources(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.body["Resources"].items()

    def role(self, reference: str) -> Role:
        """The role that `<Name.Arn>` refers to."""
        name = reference.strip("<>").removesuffix(".Arn")
        properties = self.all("AWS::IAM::Role")[name]
        statements = [item for policy in properties["Policies"] for item in policy["PolicyDocument"]["Statement"]]
        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        return Role(name, trust, tuple(statements))

    def machine(self) -> dict[str, Any]:
        """The state machine's properties."""
        return self.one("AWS::StepFunctions::StateMachine")[1]

    def machine_role(self) -> Role:
        return self.role(self.machine()["RoleArn"])

    def definition(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.machine()["DefinitionString"])
        return found

    def job_role(self, kind: str) -> Role:
        """The role that the definition hands to SageMaker: `Processing`, `Training`, `Hosting`."""
        return self.role(self.machine()["DefinitionSubstitutions"][f"{kind}RoleArn"])

    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions' properties by their folder's name."""
        return {item["Handler"].split(".")[0]: item for item in self.all("AWS::Lambda::Function").values()}

    def function_role(self, name: str) -> Role:
        return self.role(self.functions()[name]["Role"])

    def roles(self) -> list[Role]:
        return [self.role(f"<{name}.Arn>") for name in self.all("AWS::IAM::Role")]


@cache
def read_stack(assembly: Path, name: str) -> Stack:
    """Return the stack `name` of an assembly."""
    return Stack(name, json.loads((assembly / f"{name}.template.json").read_text("utf-8")))


def read_stacks(assembly: Path) -> list[Stack]:
    """Return all stacks of an assembly."""
    names = sorted(path.name.removesuffix(".template.json") for path in assembly.glob("*.template.json"))
    return [read_stack(assembly, name) for name in names]
