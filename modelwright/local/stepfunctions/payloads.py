"""What goes into and comes out of an API call, in Step Functions' shapes: PascalCase, JSON values only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.response import StreamingBody

if TYPE_CHECKING:
    from collections.abc import Iterator

Times = Literal["iso", "millis"]


def to_request(value: Any, shape: Shape) -> Any:
    """Give a request parameter as boto takes it: the model's own member names, blobs as bytes."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {pascal(name): name for name in shape.members}
        return {
            names.get(key, key): to_request(member, shape.members[names[key]]) if key in names else member
            for key, member in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_request(member, shape.member) for member in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: to_request(member, shape.value) for key, member in value.items()}
    if shape.type_name == "blob" and not isinstance(value, bytes):
        return (value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))).encode()
    if shape.type_name == "string" and isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"))
    return value


def to_output(value: Any, shape: Shape | None, times: Times) -> Any:
    """Give a response as a task's output: PascalCase names, times as `times` says, bodies as text."""
    if isinstance(value, dict):
        if isinstance(shape, StructureShape):
            return {
                pascal(key): to_output(member, shape.members.get(key), times)
                for key, member in value.items()
                if key != "ResponseMetadata"
            }
        inner = shape.value if isinstance(shape, MapShape) else None
        return {key: to_output(member, inner, times) for key, member in value.items() if key != "ResponseMetadata"}
    if isinstance(value, (list, tuple, set)):
        inner = shape.member if isinstance(shape, ListShape) else None
        return [to_output(member, inner, times) for member in value]
    return _scalar(value, times)


def _scalar(value: Any, times: Times) -> Any:
    if isinstance(value, StreamingBody) or hasattr(value, "read"):
        value = value.read()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, datetime):
        return millis(value) if times == "millis" else iso(value)
    return value


def millis(moment: datetime) -> int:
    """Give a time as the SDK for Java 1 writes it: milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def iso(moment: datetime) -> str:
    """Give a time as the SDK for Java 2 writes it: `2026-08-28T20:34:59.712Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pascal(name: str) -> str:
    """Give a member's name with a capital first letter."""
    return name[:1].upper() + name[1:]


def unknown_fields(value: Any, shape: Shape, at: str = "") -> Iterator[str]:
    """Give the fields of a request that the API's model does not have, each with its path."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {pascal(name): member for name, member in shape.members.items()}
        for key, member in value.items():
            plain = key.removesuffix(".$")
            path = f"{at}/{plain}" if at else plain
            if plain not in members:
                yield path
            else:
                yield from unknown_fields(member, members[plain], path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, member in enumerate(value):
            yield from unknown_fields(member, shape.member, f"{at}[{index}]")


def metadata(response: dict[str, Any]) -> dict[str, Any]:
    """Give what the SDK for Java 1 adds to each response of an optimized integration."""
    meta = response.get("ResponseMetadata", {})
    headers = {str(name): str(value) for name, value in meta.get("HTTPHeaders", {}).items()}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": meta.get("HTTPStatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": meta.get("RequestId", "")},
    }
