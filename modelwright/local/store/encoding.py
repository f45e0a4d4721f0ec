"""Python values as JSON text and back, without loss: what plain JSON lacks is tagged.

`{"$datetime": …}`, `{"$decimal": …}`, `{"$bytes": …}`, `{"$float": "nan"}`; a dictionary that happens to look like a
tag is wrapped as `{"$dict": …}`. Everything else is JSON as it is; what is none of it is a TypeError that names it.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
_TAGS = frozenset({"$datetime", "$decimal", "$bytes", "$float", "$dict"})


def dumps(value: Any) -> str:
    """Return compact JSON text with sorted keys; equal values give equal text."""
    return json.dumps(_tagged(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def loads(text: str) -> Any:
    """Return the value that `dumps` was given (tuples come back as lists, datetimes in UTC)."""
    return json.loads(text, object_hook=_untag) if '"$' in text else json.loads(text)


def _tagged(value: Any) -> Any:  # noqa: PLR0911  # one return a type
    if type(value) in _AS_THEY_ARE or isinstance(value, (str, int)):
        return value
    if type(value) is dict:  # most of what is no scalar: asking the abstract class takes much longer
        return _tagged_mapping(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, Mapping):
        return _tagged_mapping(value)
    if isinstance(value, (list, tuple)):
        return [_tagged(item) for item in value]
    if isinstance(value, datetime):
        return {"$datetime": _utc(value).isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"{type(value).__module__}.{type(value).__qualname__} cannot be stored; it must be a JSON value")


def _tagged_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"the key {key!r} cannot be stored; keys are strings")
    plain = {key: _tagged(item) for key, item in value.items()}
    return {"$dict": list(plain.items())} if len(plain) == 1 and not _TAGS.isdisjoint(plain) else plain


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise TypeError(f"the datetime {value.isoformat()} has no time zone; only aware datetimes are stored")
    return value.astimezone(UTC)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$datetime": datetime.fromisoformat,
    "$decimal": Decimal,
    "$bytes": base64.b64decode,
    "$float": float,
    "$dict": dict,
}


def _untag(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        ((key, value),) = found.items()
        reader = _READERS.get(key)
        if reader is not None:
            return reader(value)
    return found
