"""The condition operators: each makes, from one text of a policy, a test of one value of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
BinaryEquals is left out: no key of the local cloud holds bytes.
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from modelwright.local.iam.patterns import Pattern, Values

Test = Callable[[str, Mapping[str, Values]], bool]
Maker = Callable[[str, bool], Test]
"""From a policy's text, and whether it may hold variables, to a test. Raises ValueError: the rest of a sentence."""

_ARN_COLONS = 5


@dataclass(frozen=True)
class Operator:
    """One operator without its suffix IfExists and its prefix ForAllValues: or ForAnyValue:."""

    make: Maker
    negated: bool = False


def _text(*, wildcards: bool, fold: bool = False) -> Maker:
    def make(text: str, variables: bool) -> Test:  # noqa: FBT001  # the signature of Maker
        pattern = Pattern(text.lower() if fold else text, wildcards=wildcards, variables=variables)
        if not fold:
            return pattern.matches
        return lambda value, context: pattern.matches(value.lower(), _folded(pattern, context))

    return make


def _folded(pattern: Pattern, context: Mapping[str, Values]) -> Mapping[str, Values]:
    return {key: value.lower() for key in pattern.variables if isinstance(value := context.get(key), str)}


def _arn(text: str, variables: bool) -> Test:  # noqa: FBT001  # the signature of Maker
    pattern = Pattern(text, style="arn", variables=variables)
    if not pattern.variables and text.count(":") < _ARN_COLONS:
        raise ValueError(f"is no ARN with six parts: {text!r}")
    return pattern.matches


def _compared(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Maker:
    def make(text: str, _variables: bool) -> Test:  # noqa: FBT001  # the signature of Maker
        limit = read(text)

        def test(value: str, _context: Mapping[str, Values]) -> bool:
            try:
                return compare(read(value), limit)
            except ValueError:
                return False

        return test

    return make


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"is no number: {text!r}") from None


def _date(text: str) -> datetime:
    """Read ISO 8601 or seconds since the epoch: https://www.w3.org/TR/NOTE-datetime."""
    try:
        if text.lstrip("-").replace(".", "", 1).isdigit() and len(text) > len("2026"):
            return datetime.fromtimestamp(float(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"is no date of the form 2026-01-31T00:00:00Z: {text!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"is neither true nor false: {text!r}")
    return text.lower() == "true"


def _network(text: str, _variables: bool) -> Test:  # noqa: FBT001  # the signature of Maker
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"is no address or range like 203.0.113.0/24: {text!r}") from None
    return lambda value, _context: ipaddress.ip_address(value) in network


def _pair(name: str, opposite: str, make: Maker) -> dict[str, Operator]:
    return {name: Operator(make), opposite: Operator(make, negated=True)}


def _ordered(kind: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    comparisons = {
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    equal = _pair(f"{kind}Equals", f"{kind}NotEquals", _compared(read, operator.eq))
    return equal | {kind + name: Operator(_compared(read, compare)) for name, compare in comparisons.items()}


OPERATORS: dict[str, Operator] = {
    **_pair("StringEquals", "StringNotEquals", _text(wildcards=False)),
    **_pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _text(wildcards=False, fold=True)),
    **_pair("StringLike", "StringNotLike", _text(wildcards=True)),
    **_pair("ArnEquals", "ArnNotEquals", _arn),  # ArnEquals and ArnLike behave identically (AWS's page above)
    **_pair("ArnLike", "ArnNotLike", _arn),
    **_ordered("Numeric", _number),
    **_ordered("Date", _date),
    **_pair("IpAddress", "NotIpAddress", _network),
    "Bool": Operator(_compared(_truth, operator.eq)),
    "Null": Operator(_compared(_truth, operator.eq)),  # the value compared is whether the key is absent
}
"""Every operator, by AWS's name."""
