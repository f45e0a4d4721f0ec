"""Bodies held against a model: the part of JSON schema (draft 4) that models here use, anything else is an error.

https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ABOUT = frozenset({"$schema", "title", "description"})
_CHECKED = frozenset(
    {"type", "required", "properties", "additionalProperties", "items", "minItems", "maxItems", "enum"}
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def unknown(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keywords and types that are not checked here."""
    yield from sorted(set(schema) - _ABOUT - _CHECKED)
    if "type" in schema and schema["type"] not in _TYPES:
        yield f"type {schema['type']!r}"
    if not isinstance(schema.get("additionalProperties", True), bool):
        yield "additionalProperties with a schema"
    for inner in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from unknown(inner)


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Say whether a JSON value is what the schema describes."""
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema and not _is(schema["type"], value):
        return False
    if isinstance(value, dict):
        return _object_fits(schema, value)
    return not isinstance(value, list) or _list_fits(schema, value)


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object_fits(schema: Mapping[str, Any], value: dict[str, Any]) -> bool:
    known = schema.get("properties", {})
    if set(schema.get("required", ())) - set(value):
        return False
    if schema.get("additionalProperties") is False and set(value) - set(known):
        return False
    return all(fits(known[name], item) for name, item in value.items() if name in known)


def _list_fits(schema: Mapping[str, Any], value: list[Any]) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    return "items" not in schema or all(fits(schema["items"], item) for item in value)
