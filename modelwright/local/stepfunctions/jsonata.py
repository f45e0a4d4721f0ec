"""JSONata as Step Functions evaluates it: values are bound, never pasted into the text; null and undefined differ.

Step Functions' JSONata is version 2.0.6 with six functions of AWS's own and without `$eval`
(https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from modelwright.local.stepfunctions.jsonata_functions import AWS_FUNCTIONS
from modelwright.local.stepfunctions.jsonata_references import context_names_of, references_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UNDEFINED", "QueryError", "UnsupportedResult", "context_names", "evaluate", "references"]


class _Undefined:
    """What an expression gives that gives nothing; JSON has no word for it."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()


class QueryError(Exception):
    """An expression that cannot be parsed or evaluated; `code` is JSONata's own (`T2001`)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code
        self.message = message


class UnsupportedResult(Exception):  # noqa: N818  # not a failure of the evaluator: its result is no JSON
    """The expression gives something that JSON cannot hold, such as a function."""


def evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    """Give the JSON value of `expression`, or UNDEFINED; `bindings` are its variables (without the `$`).

    The bound values are not changed, and what is given back shares nothing with them. Raises QueryError when the
    evaluator refuses and UnsupportedResult when the result is not JSON.
    """
    parsed = _parsed(expression)
    frame = {**_FUNCTIONS, **{name: _inwards(value) for name, value in bindings.items()}}
    try:
        result = parsed.evaluate(None, frame)
    except JException as error:
        raise QueryError(error.error, str(error)) from error
    except RecursionError as error:
        raise QueryError("D1011", "Stack overflow. Check for a function that never ends.") from error
    except (ArithmeticError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        # the evaluator's own slips (a division by zero is a ZeroDivisionError in it) are the expression's errors here
        raise QueryError("D1001", f"{type(error).__name__}: {error}") from error
    return UNDEFINED if result is None else _outwards(result)


def context_names(expression: str) -> list[str]:
    """Give what the expression asks of a context (see `jsonata_references.context_names_of`)."""
    return context_names_of(_parsed(expression).ast)


@lru_cache(maxsize=4096)
def references(expression: str) -> frozenset[str]:
    """Give the variables that the expression names (see `jsonata_references.references_of`)."""
    return references_of(_parsed(expression).ast)


@lru_cache(maxsize=4096)
def _parsed(expression: str) -> Jsonata:
    try:
        parsed = Jsonata(expression)
    except JException as error:
        raise QueryError(error.error, str(error)) from error
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise QueryError("S0201", f"Syntax error: {error}") from error
    if parsed.errors:
        raise QueryError("S0500", str(parsed.errors[0]))
    parsed.set_validate_input(False)
    parsed.set_output_convert_nulls(False)
    return parsed


def _inwards(value: Any) -> Any:
    """JSON's null is a value of its own in JSONata; Python's None means undefined to the evaluator."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _inwards(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_inwards(member) for member in value]
    return value


def _outwards(value: Any) -> Any:
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise QueryError("D1001", f"Number out of range: {value}")
        return value
    if isinstance(value, dict):
        return {str(key): _outwards(member) for key, member in value.items()}
    if isinstance(value, Utils.RangeList):
        return list(range(value.a, value.b + 1))
    if isinstance(value, list):
        return [_outwards(member) for member in value]
    raise UnsupportedResult(type(value).__name__)


_FUNCTIONS: Final[dict[str, Any]] = {
    **{name: Jsonata.JLambda(function) for name, function in AWS_FUNCTIONS.items()},
    "eval": None,  # Step Functions has none: calling it is calling something that is not a function
}
