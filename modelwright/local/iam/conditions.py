"""A statement's Condition: read and checked when the policy is loaded, tested at each request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from modelwright.errors import nearest
from modelwright.local.iam import keys
from modelwright.local.iam.operators import OPERATORS, Operator, Test
from modelwright.local.iam.patterns import UNKNOWN, Values, variables_of
from modelwright.local.iam.problems import Problems, UnknownValue

Quantifier = Literal["ForAllValues", "ForAnyValue"]
_QUANTIFIERS: tuple[Quantifier, ...] = ("ForAllValues", "ForAnyValue")


@dataclass(frozen=True)
class Condition:
    """One operator and one key with the values that satisfy it: `holds` answers for a request."""

    name: str
    key: str
    tests: tuple[Test, ...]
    negated: bool
    quantifier: Quantifier | None = None
    if_exists: bool = False

    def holds(self, context: Mapping[str, Values]) -> bool:
        """Say whether the request's context (keys in lower case) satisfies the condition."""
        found = context.get(self.key)
        if found is UNKNOWN:
            raise UnknownValue(self.key, "the local cloud could not tell it from this request")
        values = () if found is None else (found,) if isinstance(found, str) else found
        if self.name == "Null":
            return any(test("false" if values else "true", context) for test in self.tests)
        if not values:
            return self._holds_when_absent()
        if self.quantifier == "ForAnyValue":
            return any(self._satisfied(value, context) for value in values)
        return all(self._satisfied(value, context) for value in values)

    def _holds_when_absent(self) -> bool:
        if self.quantifier == "ForAllValues" or self.if_exists:
            return True
        return self.negated and self.quantifier is None

    def _satisfied(self, value: str, context: Mapping[str, Values]) -> bool:
        return any(test(value, context) for test in self.tests) != self.negated


def parse_conditions(block: object, place: str, problems: Problems, *, variables: bool) -> tuple[Condition, ...]:
    """Read a Condition block; what is wrong goes to `problems`, and those conditions are left out."""
    if not isinstance(block, Mapping):
        problems.add(place, f"is {type(block).__name__}; it must be an object of operators")
        return ()
    found: list[Condition] = []
    for name, by_key in block.items():
        if not isinstance(by_key, Mapping):
            problems.add(f"{place}.{name}", "must be an object of condition keys")
            continue
        for key, values in by_key.items():
            condition = _parse_one(name, key, values, f"{place}.{name}.{key}", problems, variables=variables)
            found += [condition] if condition else []
    return tuple(found)


def _parse_one(  # noqa: PLR0913  # an operator, a key, its values, and where to report
    name: str, key: str, values: object, place: str, problems: Problems, *, variables: bool
) -> Condition | None:
    quantifier, base, if_exists = _split(name)
    operator = OPERATORS.get(base)
    if operator is None or (base == "Null" and if_exists):
        problems.add(place, _unknown_operator(name))
        return None
    if not keys.is_known(key):
        problems.add(place, keys.unknown(key))
        return None
    if keys.is_multiple(key) and quantifier is None and base != "Null":
        problems.add(place, f"{key} has several values: write ForAllValues:{base} or ForAnyValue:{base}")
    tests = _tests(operator, values, place, problems, variables=variables)
    return Condition(base, key.lower(), tests, operator.negated, quantifier, if_exists)


def _split(name: str) -> tuple[Quantifier | None, str, bool]:
    quantifier = next((known for known in _QUANTIFIERS if name.startswith(f"{known}:")), None)
    base = name[len(quantifier) + 1 :] if quantifier else name
    return quantifier, base.removesuffix("IfExists"), base.endswith("IfExists")


def _unknown_operator(name: str) -> str:
    near = nearest(name, OPERATORS)
    hint = f"; the nearest known one is {near[0]}" if near else ""
    return f"the local cloud does not know the condition operator {name}{hint}"


def _tests(operator: Operator, values: object, place: str, problems: Problems, *, variables: bool) -> tuple[Test, ...]:
    tests: list[Test] = []
    for value in values if isinstance(values, list) else [values]:
        text = _as_text(value)
        if text is None:
            problems.add(place, f"has a value that is {type(value).__name__}; it must be a text")
            continue
        try:
            tests.append(operator.make(text, variables))
        except ValueError as error:
            problems.add(place, str(error))
            continue
        for key in variables_of(text) if variables else ():
            if not keys.is_known(key):
                problems.add(place, keys.unknown(key))
    return tuple(tests)


def _as_text(value: object) -> str | None:
    """AWS takes `true` for "true" and 5 for "5"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None
