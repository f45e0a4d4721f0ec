"""Metric math: the part of it that alarms and graphs of this project use.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

What is missing is 0 where the other operand has a value ("Missing values in a time series are treated as 0"); where
none has one there is none. A data point that would be divided by zero is dropped.
"""

from __future__ import annotations

import ast
import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Series = dict[float, float]
Value = Series | float

_SUPPORTED = "+ - * / ^, comparisons, AND, OR, FILL(m, number), IF(condition, value, value) and MAX([m, n]) are"
_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}
_ARGUMENTS = {"FILL": (2, 2), "IF": (2, 3), "MAX": (1, 1)}
_NODES = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.USub, ast.Compare, ast.BoolOp, ast.Name, ast.Load, ast.Constant)
_SPELLINGS = ((r"\bAND\b|&&", " and "), (r"\bOR\b|\|\|", " or "), (r"\^", "**"))


def check(expression: str) -> None:
    """Refuse an expression that cannot be evaluated here.

    Raises:
        ValueError: with what is not supported, and what is.
    """
    _checked(expression)


def evaluate(expression: str, named: Mapping[str, Series], begins: Iterable[float] = ()) -> Series:
    """The series that the expression makes of the named ones.

    Args:
        expression: metric math.
        named: the series that it names, values by the beginning of their period.
        begins: the periods that are asked for, those without any value too: `FILL` has one there.
    """
    parsed = _checked(expression)
    every = sorted({*begins, *(begin for series in named.values() for begin in series)})
    found = _value(parsed.body, named, every)
    return dict(sorted(found.items())) if isinstance(found, dict) else dict.fromkeys(every, found)


@lru_cache(maxsize=256)
def _checked(expression: str) -> ast.Expression:
    """The expression as a tree; alarms ask for the same few at each value that arrives."""
    parsed = _parsed(expression)
    lists = {id(node.args[0]) for node in ast.walk(parsed) if isinstance(node, ast.Call) and _name(node.func) == "MAX"}
    for node in (each for each in ast.walk(parsed) if id(each) not in lists):
        if not _is_supported(node):
            raise ValueError(f"metric math {expression!r}: {ast.unparse(node)} is not supported; {_SUPPORTED}")
    return parsed


def _parsed(expression: str) -> ast.Expression:
    text = expression
    for pattern, python in _SPELLINGS:
        text = re.sub(pattern, python, text)
    try:
        return ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        raise ValueError(f"{expression!r} is no metric math expression") from None


def _is_supported(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        if any(isinstance(each, ast.List) for each in node.args) != (_name(node.func) == "MAX"):
            return False
        least, most = _ARGUMENTS.get(_name(node.func), (1, 0))
        return least <= len(node.args) <= most and not node.keywords
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return False
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    return isinstance(node, (*_NODES, *_OPERATORS))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _value(node: ast.expr, named: Mapping[str, Series], begins: list[float]) -> Value:
    if isinstance(node, ast.Constant):
        return float(str(node.value))
    if isinstance(node, ast.Name):
        return named[node.id]
    if isinstance(node, ast.Call) and _name(node.func) == "MAX":
        return _largest([_value(each, named, begins) for each in node.args[0].elts])  # type: ignore[attr-defined]  # `check` lets a list pass only
    operands = [_value(each, named, begins) for each in _operands(node)]
    if isinstance(node, ast.Call):
        return _filled(operands, begins) if _name(node.func) == "FILL" else _chosen(operands, begins)
    if isinstance(node, ast.UnaryOp):
        return _combined(operator.sub, 0.0, operands[0])
    result, *others = operands
    for other in others:
        result = _combined(_OPERATORS[type(_operation(node))], result, other)
    return result


def _operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.BoolOp):
        return node.values
    return node.args if isinstance(node, ast.Call) else [node.operand]  # type: ignore[attr-defined]  # `check` let nothing else pass


def _operation(node: ast.expr) -> ast.AST:
    return node.ops[0] if isinstance(node, ast.Compare) else node.op  # type: ignore[attr-defined]  # as above


def _combined(operation: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, float) and isinstance(right, float):
        return float(operation(left, right)) if operation is not operator.truediv or right else {}
    begins = {begin for side in (left, right) if isinstance(side, dict) for begin in side}
    pairs = {begin: (_at(left, begin), _at(right, begin)) for begin in begins}
    dividing = operation is operator.truediv
    return {begin: float(operation(a, b)) for begin, (a, b) in pairs.items() if not (dividing and b == 0)}


def _at(value: Value, begin: float) -> float:
    return value.get(begin, 0.0) if isinstance(value, dict) else value


def _largest(operands: list[Value]) -> Value:
    """`MAX` of several series: at each time the largest value that there is."""
    begins = {begin for series in operands if isinstance(series, dict) for begin in series}
    return {
        begin: max(
            series[begin] if isinstance(series, dict) else series
            for series in operands
            if not isinstance(series, dict) or begin in series
        )
        for begin in begins
    }


def _filled(operands: list[Value], begins: list[float]) -> Value:
    """What is missing, of the periods that are asked for, has the second operand's value."""
    series, filler = operands
    if not isinstance(series, dict):
        return series
    return {begin: series.get(begin, _at(filler, begin)) for begin in begins}


def _chosen(operands: list[Value], begins: list[float]) -> Value:
    """`IF`: a value that is missing is 0 where the condition holds, and no data point where it does not."""
    condition, first, *rest = operands
    other: Value = rest[0] if rest else {}
    if isinstance(condition, float):
        return first if condition else other
    result: Series = {}
    for begin in begins:
        if condition.get(begin):
            result[begin] = _at(first, begin)
        elif begin in condition and (isinstance(other, float) or begin in other):
            result[begin] = _at(other, begin)
    return result
