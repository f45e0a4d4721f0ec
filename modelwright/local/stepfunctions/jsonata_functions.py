"""The functions that Step Functions adds to JSONata.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html ("JSONata functions provided by Step
Functions"); they stand for the intrinsic functions of JSONPath states, whose limits they share:
https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from typing import TYPE_CHECKING, Any, Final

from jsonata.jexception import JException
from jsonata.utils import Utils

if TYPE_CHECKING:
    from collections.abc import Callable

HASH_ALGORITHMS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}
MAX_RANGE_ITEMS: Final = 1000
MAX_HASH_CHARACTERS: Final = 10_000


class FunctionError(JException):  # type: ignore[misc]  # the library carries no types
    """An argument that one of AWS's functions refuses."""

    def __init__(self, function: str, problem: str) -> None:
        super().__init__("D3137")
        self.args = (f"${function}: {problem}",)


def partition(items: Any = None, size: Any = None) -> list[Any] | None:
    """Cut an array into arrays of `size` items; the last may be shorter."""
    if items is None:
        return None
    array = items if isinstance(items, list) else [items]
    count = _whole("partition", "the chunk size", size)
    if count < 1:
        raise FunctionError("partition", f"the chunk size must be 1 or more; found {count}.")
    return [list(array[start : start + count]) for start in range(0, len(array), count)]


def number_range(first: Any = None, last: Any = None, step: Any = None) -> list[int]:
    """Give first, first + step, … up to and including last; at most 1000 numbers."""
    start = _whole("range", "the first number", first)
    end = _whole("range", "the last number", last)
    stride = _whole("range", "the step", step)
    if stride == 0:
        raise FunctionError("range", "the step must not be 0.")
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > MAX_RANGE_ITEMS:
        raise FunctionError("range", f"at most {MAX_RANGE_ITEMS} numbers are allowed; found {len(numbers)}.")
    return list(numbers)


def hash_text(text: Any = None, algorithm: Any = None) -> str | None:
    """Give the hash of a string as lower-case hexadecimal digits."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise FunctionError("hash", "the first argument must be a string.")
    if len(text) > MAX_HASH_CHARACTERS:
        raise FunctionError("hash", f"at most {MAX_HASH_CHARACTERS} characters are allowed; found {len(text)}.")
    if algorithm not in HASH_ALGORITHMS:
        raise FunctionError("hash", f"the algorithm must be one of {', '.join(HASH_ALGORITHMS)}; found {algorithm!r}.")
    return hashlib.new(HASH_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def random_number(seed: Any = None) -> float:
    """Give a number n with 0 <= n < 1; the same seed gives the same number."""
    if seed is None:
        return random.random()  # noqa: S311  # AWS's is not for secrets either
    return random.Random(_whole("random", "the seed", seed)).random()  # noqa: S311  # as above


def new_uuid() -> str:
    """Give a random UUID (version 4)."""
    return str(uuid.uuid4())


def parse(text: Any = None) -> Any:
    """Give the value that JSON text stands for."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise FunctionError("parse", "the argument must be a string.")
    try:
        return _nulls(json.loads(text, parse_constant=_refuse_constant))
    except ValueError as error:
        raise FunctionError("parse", f"the argument is not JSON: {error}.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _nulls(value: Any) -> Any:
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _nulls(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_nulls(member) for member in value]
    return value


def _whole(function: str, what: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise FunctionError(function, f"{what} must be a whole number; found {value!r}.")
    return int(value)


AWS_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "partition": partition,
    "range": number_range,
    "hash": hash_text,
    "random": random_number,
    "uuid": new_uuid,
    "parse": parse,
}
