"""Where each JSONata expression of a definition stands (`Arguments/Payload/x[0]`): failures name the field."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.component import Component
from moto.stepfunctions.parser.asl.component.program.states import States

from modelwright.local.stepfunctions.jsonata import QueryError, references

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS: Final = {
    "parargs": "Arguments",
    "output": "Output",
    "assign_decl": "Assign",
    "assign": "Assign",
    "timeout": "TimeoutSeconds",
    "heartbeat": "HeartbeatSeconds",
    "items": "Items",
    "item_selector": "ItemSelector",
    "max_concurrency_decl": "MaxConcurrency",
    "wait_function": "Seconds",
    "comparison": "Condition",
    "error": "Error",
    "cause": "Cause",
    "credentials": "Credentials/RoleArn",
}
_LISTS: Final = {"catch": ("catchers", "Catch"), "choices_decl": ("rules", "Choices")}
_WAITS: Final = {"Timestamp": "Timestamp", "TimestampPath": "Timestamp"}


def name_fields(states: States) -> None:
    """Write into each expression of these states, and of those inside them, the field in which it stands."""
    for state in states.states.values():
        for attribute, value in list(vars(state).items()):
            _name(attribute, value, "")


def _name(attribute: str, value: Any, prefix: str) -> None:
    if attribute in _LISTS:
        members, label = _LISTS[attribute]
        for index, member in enumerate(getattr(value, members, [])):
            for inner, inner_value in vars(member).items():
                _name(inner, inner_value, f"{prefix}{label}[{index}]/")
    elif attribute in _FIELDS:
        _write(value, prefix + _WAITS.get(type(value).__name__, _FIELDS[attribute]))
    else:
        for inner_states in _inner_states(value):
            name_fields(inner_states)


def _inner_states(value: Any) -> Iterator[States]:
    """Give the states of a Map's processor or of a Parallel's branches."""
    if isinstance(value, Component):
        inner = vars(value)
        yield from (member for member in inner.values() if isinstance(member, States))
        for program in inner.get("programs", []):
            yield program.states


def _write(component: Any, path: str) -> None:
    if isinstance(component, StringJSONata):
        component.field = path
        with suppress(QueryError):  # what cannot be parsed was refused at creation
            references(component.expression)  # parsed now, ahead of its use
    elif isinstance(component, AssignDecl):
        for declaration in component.declaration_bindings:
            _write(declaration.binding, path)
    elif isinstance(component, (list, tuple)):
        for index, member in enumerate(component):
            _write(member, f"{path}[{index}]")
    elif isinstance(component, Component) and not isinstance(component, States):
        _write_members(component, path)


def _write_members(component: Component, path: str) -> None:
    members = vars(component)
    here = f"{path}/{members['identifier']}" if "identifier" in members else path
    for name, member in members.items():
        if name == "bindings":
            for binding in member:
                _write(binding, here)
        elif name != "field":
            _write(member, here)
