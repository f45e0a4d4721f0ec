"""Parameters checked against botocore's own model of a call, refused in the words of AWS's API.

AWS checks more than botocore's client does (patterns, lengths, enumerations), and names every violation at once:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from botocore.model import ServiceModel

from modelwright.local.calls.models import loader
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape


@functools.cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return ServiceModel(loader().load_service_model(service, "service-2"), service)


def validate(service: str, operation: str, params: dict[str, Any], code: str = "ValidationException") -> None:
    """Raise AwsError, with this code, that names everything in `params` that the operation does not allow."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    found = list(_violations(shape, params, ""))
    if found:
        count = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
        raise AwsError(code, f"{count} detected: {'; '.join(found)}")


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _list(shape, value, path)
    elif shape.type_name == "map":
        yield from _map(shape, value, path)
    elif shape.type_name == "string":
        yield from _string(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _number(shape, value, path)
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield _violation(value, path, "Member must be a boolean")


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _violation(value, path, "Member must be a structure")
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield _violation(None, _join(path, _camel(name)), "Member must not be null")
    for name, member in value.items():
        where = _join(path, _camel(name))
        if name not in shape.members:
            yield _violation(member, where, f"Member must be one of [{', '.join(shape.members)}]")
        elif member is not None:
            yield from _violations(shape.members[name], member, where)


def _list(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield _violation(value, path, "Member must be a list")
        return
    yield from _length(shape, value, path)
    for place, item in enumerate(value, 1):
        yield from _violations(shape.member, item, f"{path}.{place}.member")


def _map(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _violation(value, path, "Member must be a map")
        return
    yield from _length(shape, value, path)
    for key, item in value.items():
        yield from _violations(shape.key, key, f"{path}.key")
        yield from _violations(shape.value, item, f"{path}.{key}.member")


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _violation(value, path, "Member must be a string")
        return
    if shape.enum and value not in shape.enum:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        return
    yield from _length(shape, value, path)
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and not compiled.fullmatch(value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _number(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield _violation(value, path, "Member must be a number")
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _violation(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _violation(value, path, f"Member must have value less than or equal to {most}")


def _length(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield _violation(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _violation(value, path, f"Member must have length less than or equal to {most}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern for Python's `re`, or None for one that has no equal there and forbids next to nothing."""
    if re.search(r"\\p\{[SPM]\}|\\p\{Print\}", pattern):
        return None
    text = re.sub(r"\\p\{([LNZ])\}", lambda match: {"L": r"\w", "N": r"\d", "Z": r"\s"}[match[1]], pattern)
    text = text.replace(r"\p{ASCII}", r"[\x00-\x7f]").replace(r"\z", r"\Z")
    try:
        return re.compile(text)
    except re.error:
        return None


def _violation(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
