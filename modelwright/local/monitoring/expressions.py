"""Metric math: the part of it that alarms of this project use.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Series = dict[float, float]

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def check(expression: str) -> None:
    """Refuse an expression that cannot be evaluated here.

    Raises:
        ValueError: it names a function or operator other than `+ - * /`, `FILL(m, number)` and numbers.
    """
    try:
        whole = ast.parse(expression, mode="eval")
    except SyntaxError:
        raise ValueError(f"{expression!r} is no metric math expression") from None
    for node in ast.walk(whole):
        _check_node(node, expression)


def _check_node(node: ast.AST, expression: str) -> None:
    allowed = (ast.Expression, ast.BinOp, ast.Name, ast.Load, ast.Constant, ast.Call, *_OPERATORS)
    if not isinstance(node, allowed) or (isinstance(node, ast.Call) and _name(node.func) != "FILL"):
        raise ValueError(
            f"metric math {expression!r}: {ast.unparse(node)} is not supported; + - * / and FILL(m, number) are"
        )


def evaluate(expression: str, named: Mapping[str, Series]) -> Series:
    """The series that the expression makes of the named ones; a period without all its operands has no value."""
    check(expression)
    begins = sorted({begin for series in named.values() for begin in series})
    values = ((begin, _value(ast.parse(expression, mode="eval").body, named, begin)) for begin in begins)
    return {begin: value for begin, value in values if value is not None}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _value(node: ast.expr, named: Mapping[str, Series], begin: float) -> float | None:
    if isinstance(node, ast.Constant):
        return float(str(node.value))
    if isinstance(node, ast.Name):
        return named[node.id].get(begin)
    if isinstance(node, ast.Call):
        found = _value(node.args[0], named, begin)
        return _value(node.args[1], named, begin) if found is None else found
    assert isinstance(node, ast.BinOp)  # noqa: S101 - `check` let nothing else pass
    left, right = _value(node.left, named, begin), _value(node.right, named, begin)
    if left is None or right is None or (right == 0 and isinstance(node.op, ast.Div)):
        return None
    return _OPERATORS[type(node.op)](left, right)
