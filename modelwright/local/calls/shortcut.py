"""What goes into and comes out of a service of ours when a client of this process asks it: copies, without the text.

A client of botocore writes its request as JSON before it is sent, so that is read as it stands; the answer is copied
by the operation's shape, so that it is what reading its text would have given, in the same order. Either side may
change what it has.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.utils import parse_timestamp
from moto.core.serialize import TimestampSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Copy = Callable[[Any], Any]

_UNREAD = frozenset({"blob", "timestamp"})
"""types that JSON has not: a request with one of these is written and parsed like any other"""
_times = TimestampSerializer(TimestampSerializer.TIMESTAMP_FORMAT_UNIX)
_PLAIN = "_modelwright_plain"
_COPY = "_modelwright_copy"
"""botocore's models live as long as their client; what is found out of one is kept beside it, under these names"""


def can_read(operation: Any) -> bool:
    """Tell whether the JSON of a request of this operation is its parameters as the gateway would parse them."""
    found: bool | None = operation.__dict__.get(_PLAIN)
    if found is None:
        found = operation.__dict__[_PLAIN] = _is_plain(operation.input_shape, frozenset())
    return found


def read(body: bytes | str) -> dict[str, Any]:
    """Give a request's parameters."""
    return json.loads(body or "{}")  # type: ignore[no-any-return]  # botocore wrote an object


def copy(operation: Any, result: Mapping[str, Any]) -> dict[str, Any]:
    """Give a result as botocore would read it from the service's answer."""
    shape = operation.output_shape
    return {} if shape is None else _copier(shape)(result)


def _is_plain(shape: Any, above: frozenset[str]) -> bool:
    if shape is None or shape.name in above:
        return True
    if shape.type_name in _UNREAD or getattr(shape, "is_document_type", False):
        return False
    inner = list(shape.members.values()) if shape.type_name == "structure" else []
    inner += [getattr(shape, part, None) for part in ("member", "value")]
    return all(_is_plain(each, above | {shape.name}) for each in inner)


def _copier(shape: Any) -> Copy:
    found: Copy | None = shape.__dict__.get(_COPY)
    if found is None:
        found = shape.__dict__[_COPY] = _make(shape)
    return found


def _make(shape: Any) -> Copy:
    kind = shape.type_name
    if kind == "structure" and not shape.is_document_type:
        return _structure(shape.members)
    if kind == "list":
        return lambda value: [_copier(shape.member)(item) for item in value]
    if kind == "map":
        return lambda value: {str(key): _copier(shape.value)(item) for key, item in value.items()}
    if kind == "timestamp":
        return lambda value: parse_timestamp(_written(value, shape))
    if kind == "structure":
        return lambda value: json.loads(json.dumps(value))
    scalars: dict[str, Copy] = {"string": str, "integer": int, "long": int, "float": float, "double": float}
    return scalars.get(kind, lambda value: value)


def _structure(members: Mapping[str, Any]) -> Copy:
    def copy_members(value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _copier(shape)(item) for name, shape in members.items() if (item := value.get(name)) is not None}

    return copy_members


def _written(moment: Any, shape: Any) -> Any:
    """A time in the form, and with the precision, that it has on the wire."""
    wrapper: dict[str, Any] = {}
    _times.serialize(wrapper, moment, shape, "time")
    return wrapper["time"]
