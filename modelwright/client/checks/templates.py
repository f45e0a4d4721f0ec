"""The templates of an assembly, and values to stand for what only a deployment knows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "ap-southeast-2",  # the longest name of a region that most accounts have
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}
_SAMPLE = "x" * 64
"""As long as most physical names may be."""


@dataclass(frozen=True)
class Template:
    """One stack's template."""

    stack: str
    path: Path
    body: Mapping[str, Any]
    protected: bool = False
    """Whether the stack cannot be deleted as long as nobody switches its protection off."""

    def resources(self, type_: str | None = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield logical id and resource of each resource, or of those of one type."""
        for logical_id, resource in self.body.get("Resources", {}).items():
            if type_ is None or resource["Type"] == type_:
                yield logical_id, resource

    def definitions(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield logical id and definition of each state machine, with samples for its placeholders."""
        for logical_id, resource in self.resources("AWS::StepFunctions::StateMachine"):
            yield logical_id, json.loads(definition_text(resource["Properties"]))


def read_templates(assembly: Path) -> list[Template]:
    """Return the templates of the assembly's stacks, by name."""
    manifest = json.loads((assembly / "manifest.json").read_text("utf-8"))
    found = []
    for name, artifact in sorted(manifest["artifacts"].items()):
        if artifact["type"] == "aws:cloudformation:stack":
            path = assembly / artifact["properties"]["templateFile"]
            protected = bool(artifact["properties"].get("terminationProtection"))
            found.append(Template(name, path, json.loads(path.read_text("utf-8")), protected))
    return found


def definition_text(properties: Mapping[str, Any]) -> str:
    """Return a state machine's definition with a sample for each placeholder."""
    samples = {name: sample(value) for name, value in properties.get("DefinitionSubstitutions", {}).items()}
    text = str(properties["DefinitionString"])
    return re.sub(r"\$\{([A-Za-z]+)\}", lambda found: samples.get(found[1], found[0]), text)


def sample(value: Any) -> Any:
    """Return `value` with every intrinsic function replaced by a text that looks like its result."""
    if isinstance(value, list):
        return [sample(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in _INTRINSICS:
            return _INTRINSICS[name](argument)
    return {key: sample(item) for key, item in value.items()}


def _attribute(_argument: Any) -> str:
    return f"arn:aws:service:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:{_SAMPLE}"


def _join(argument: Any) -> str:
    separator, parts = argument
    return str(separator).join(str(sample(part)) for part in parts)


def _sub(argument: Any) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: PSEUDO.get(found[1], _SAMPLE), str(argument))


_INTRINSICS: Mapping[str, Callable[[Any], Any]] = {
    "Ref": lambda name: PSEUDO.get(name, _SAMPLE),
    "Fn::GetAtt": _attribute,
    "Fn::Join": _join,
    "Fn::Sub": _sub,
}
