"""Evaluate CloudFormation's intrinsic functions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SUB = re.compile(r"\$\{(!?)([^}]+)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^}]+)\}\}")


class TemplateError(ModelwrightError):
    """A template holds what the local cloud does not know or cannot resolve."""


class _NoValue:
    """The value of `AWS::NoValue`: whatever holds it is left out."""


NO_VALUE = _NoValue()


@dataclass(frozen=True)
class Physical:
    """What a created resource is known by: the value of its `Ref` and of its `Fn::GetAtt`s."""

    id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Scope:
    """All that an expression of one stack may refer to."""

    pseudo: Mapping[str, str]
    parameters: Mapping[str, Any]
    template: Mapping[str, Any]
    ssm: Callable[[str], str]
    resources: dict[str, Physical] = field(default_factory=dict)

    def condition(self, name: str) -> bool:
        """The truth of one of the template's conditions."""
        conditions = self.template.get("Conditions", {})
        if name not in conditions:
            raise TemplateError(f"the template has no condition {name!r}.")
        return bool(self.resolve(conditions[name]))

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function evaluated."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((key, argument),) = value.items()
                if key in _FUNCTIONS:
                    return _FUNCTIONS[key](self, argument)
                if key.startswith("Fn::"):
                    raise TemplateError(
                        f"{key} is not supported by the local cloud; supported: {', '.join(sorted(_FUNCTIONS))}."
                    )
            pairs = ((key, self.resolve(item)) for key, item in value.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        return self._dynamic(value) if isinstance(value, str) and "{{resolve:" in value else value

    def _dynamic(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            if match[1] != "ssm":
                raise TemplateError(
                    f"the dynamic reference {match[0]} is not supported by the local cloud; only ssm is."
                )
            return self.ssm(match[2].split(":")[0])

        return _DYNAMIC.sub(replace, text)

    def ref(self, name: str) -> Any:
        """`Ref`."""
        if name == "AWS::NoValue":
            return NO_VALUE
        for known in (self.pseudo, self.parameters):
            if name in known:
                return known[name]
        if name in self.resources:
            return self.resources[name].id
        raise TemplateError(f"Ref names {name!r}, which is no parameter and no resource made so far.")

    def attribute(self, name: str, attribute: str) -> Any:
        """`Fn::GetAtt`."""
        if name not in self.resources:
            raise TemplateError(f"Fn::GetAtt names {name!r}, which is no resource made so far.")
        found = self.resources[name].attributes
        if attribute not in found:
            known = ", ".join(sorted(found)) or "none"
            raise TemplateError(f"{name} has no attribute {attribute!r} in the local cloud; it has: {known}.")
        return found[attribute]


def _get_att(scope: Scope, argument: Any) -> Any:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return scope.attribute(name, scope.resolve(attribute))


def _sub(scope: Scope, argument: Any) -> str:
    text, extra = (argument, {}) if isinstance(argument, str) else argument
    values = scope.resolve(extra)

    def replace(match: re.Match[str]) -> str:
        name = match[2]
        if match[1]:
            return "${" + name + "}"
        if name in values:
            return str(values[name])
        return str(_get_att(scope, name) if "." in name else scope.ref(name))

    return _SUB.sub(replace, text)


def _join(scope: Scope, argument: Any) -> str:
    separator, items = argument
    return str(separator).join(str(item) for item in scope.resolve(items))


def _select(scope: Scope, argument: Any) -> Any:
    index, items = scope.resolve(argument)
    return items[int(index)]


def _split(scope: Scope, argument: Any) -> list[str]:
    separator, text = scope.resolve(argument)
    return str(text).split(separator)


def _if(scope: Scope, argument: Any) -> Any:
    name, yes, no = argument
    return scope.resolve(yes if scope.condition(name) else no)


def _equals(scope: Scope, argument: Any) -> bool:
    left, right = scope.resolve(argument)
    return bool(left == right)


def _find_in_map(scope: Scope, argument: Any) -> Any:
    name, first, second = scope.resolve(argument)
    try:
        return scope.template["Mappings"][name][first][second]
    except KeyError as missing:
        raise TemplateError(f"Fn::FindInMap [{name}, {first}, {second}]: there is no {missing}.") from None


_FUNCTIONS: dict[str, Callable[[Scope, Any], Any]] = {
    "Ref": lambda scope, argument: scope.ref(argument),
    "Condition": lambda scope, argument: (
        scope.condition(argument) if isinstance(argument, str) else {"Condition": scope.resolve(argument)}
    ),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::And": lambda scope, argument: all(map(scope.resolve, argument)),
    "Fn::Or": lambda scope, argument: any(map(scope.resolve, argument)),
    "Fn::Not": lambda scope, argument: not scope.resolve(argument[0]),
    "Fn::FindInMap": _find_in_map,
    "Fn::Base64": lambda scope, argument: base64.b64encode(str(scope.resolve(argument)).encode()).decode(),
}


def references(value: Any) -> Iterator[str]:
    """Every logical id (parameters and pseudo parameters among them) that an expression names."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt":
                yield item.split(".", 1)[0] if isinstance(item, str) else item[0]
            elif key == "Fn::Sub":
                text = item if isinstance(item, str) else item[0]
                yield from (match[2].split(".", 1)[0] for match in _SUB.finditer(text) if not match[1])
                yield from () if isinstance(item, str) else references(item[1])
            else:
                yield from references(item)
