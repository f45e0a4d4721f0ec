"""The quality gate's clauses: `metric OP number`, or `metric OP champion.metric`, that `+` or `-` a number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

OPERATORS = (">=", "<=", "==", "!=", ">", "<")
Operator = Literal[">=", "<=", "==", "!=", ">", "<"]
MAX_LENGTH = 200
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_CLAUSE = re.compile(r"\s*(?P<left>[^\s<>=!]+)\s*(?P<op>[<>=!]+)\s*(?P<right>.+?)\s*", re.ASCII)
_CHAMPION = re.compile(
    rf"champion\.(?P<metric>{_NAME})(?:\s*(?P<sign>[-+])\s*(?P<number>{_NUMBER}))?",
    re.ASCII,
)


class GateSyntaxError(ValueError):
    """A text that is no clause; the message is the rest of a sentence that begins with the clause's key."""


@dataclass(frozen=True)
class GateClause:
    """One condition that a model must meet to be deployed. Exactly one of `number` and `champion` is given."""

    metric: str
    op: Operator
    text: str
    """The clause as its author wrote it, for reports."""
    number: float | None = None
    champion: str | None = None
    """The champion's metric to compare with; a clause on it passes while there is no champion."""
    plus: float = 0.0
    """What is added to the champion's metric."""

    def to_dict(self) -> dict[str, Any]:
        """Return the form that a release holds: `{"left": …, "op": …, "right": …, "text": …}`."""
        right = {"number": self.number} if self.champion is None else {"champion": self.champion, "plus": self.plus}
        return {"left": {"metric": self.metric}, "op": self.op, "right": right, "text": self.text}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> GateClause:
        """Return the clause that `to_dict` was asked for."""
        right = found["right"]
        if "champion" in right:
            return cls(
                found["left"]["metric"], found["op"], found["text"], champion=right["champion"], plus=right["plus"]
            )
        return cls(found["left"]["metric"], found["op"], found["text"], number=right["number"])


def parse_clause(text: str) -> GateClause:
    """Return the clause that `text` says, or raise `GateSyntaxError` with what was found and what is allowed."""
    form = '"metric >= number" or "metric >= champion.metric - number"'
    if len(text) > MAX_LENGTH:
        raise GateSyntaxError(f"has {len(text)} characters; it must have at most {MAX_LENGTH}.")
    found = _CLAUSE.fullmatch(text)
    if not found:
        raise GateSyntaxError(f"is {text!r}; it must be {form}.")
    left, op, right = found["left"], found["op"], found["right"]
    if op not in OPERATORS:
        raise GateSyntaxError(f"is {text!r} with the operator {op!r}; it must be one of {' '.join(OPERATORS)}.")
    if left.startswith("champion."):
        raise GateSyntaxError(f"is {text!r}; the champion's metric must stand on the right side: {form}.")
    if not re.fullmatch(_NAME, left, re.ASCII):
        raise GateSyntaxError(f"is {text!r}; {left!r} must be a metric's name: letters, digits and _.")
    return _with_right_side(left, op, right, " ".join(text.split()), form)


def _with_right_side(metric: str, op: Any, right: str, text: str, form: str) -> GateClause:
    champion = _CHAMPION.fullmatch(right)
    if champion:
        plus = _finite(f"{champion['sign']}{champion['number']}", text) if champion["number"] else 0.0
        return GateClause(metric, op, text, champion=champion["metric"], plus=plus + 0.0)
    if re.fullmatch(rf"[-+]?{_NUMBER}", right, re.ASCII):
        return GateClause(metric, op, text, number=_finite(right, text))
    raise GateSyntaxError(f"is {text!r}; {right!r} is neither a number nor champion.<metric>. It must be {form}.")


def _finite(number: str, text: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise GateSyntaxError(f"is {text!r}; {number!r} is too large for a number.")
    return value
