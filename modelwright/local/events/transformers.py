"""What a rule hands to its target: the event, a part of it, a constant, or an input template.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_MISSING = object()


class TransformError(ValueError):
    """The input cannot be made from this event."""


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    """The text that the target gets.

    Args:
        target: the rule's target.
        event: the event as delivered.
        rule: `name` and `arn` of the rule.

    Raises:
        TransformError: a path names what the event does not have, or the template gives no JSON.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_require(target["InputPath"], event))
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule)
    return json.dumps(event)


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    values: dict[str, Any] = {name: _at(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule["arn"],
        "aws.events.rule-name": rule["name"],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event.json": event,
        "aws.events.event": event,
    }
    text = _fill(transformer["InputTemplate"], values)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise TransformError(
            f"the input template of rule {rule['name']} gives no JSON ({error}): {text[:500]}"
        ) from None
    return text


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Put values in: inside a JSON string as text, outside as JSON.

    A text is put in as it is: "EventBridge does not escape values extracted by Input Path". One with a quote gives no
    JSON, and one that is chosen for it other JSON; what a stranger may have written belongs into a variable that is an
    object or a list, which is put in as JSON: `{"detail": <detail>}`.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html#eb-transform-input-issues
    """
    parts, end, quoted = [], 0, False
    for match in _VARIABLE.finditer(template):
        before = template[end : match.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        if match[1] not in values or values[match[1]] is _MISSING:
            raise TransformError(f"the input template names <{match[1]}>, which this event does not have")
        value = values[match[1]]
        text = value if isinstance(value, str) else json.dumps(value)
        parts += [before, f'"{text}"' if isinstance(value, str) and not quoted else text]
        end = match.end()
    return "".join([*parts, template[end:]])


def _require(path: str, event: Mapping[str, Any]) -> Any:
    found = _at(path, event)
    if found is _MISSING:
        raise TransformError(f"the event has nothing at {path}")
    return found


def _at(path: str, event: Mapping[str, Any]) -> Any:
    """The value at a path such as `$.detail.commit` or `$.resources[0]`."""
    if not path.startswith("$"):
        raise TransformError(f"{path!r} is no path: it begins with $")
    value: Any = event
    for name, index in _STEP.findall(path[1:]):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif name and isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return _MISSING
    return value
