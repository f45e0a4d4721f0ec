"""Members of a request that AWS takes and the local cloud does not (yet): refused by name, never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def refuse_members(operation: str, params: Mapping[str, Any], refused: Mapping[str, str]) -> None:
    """Raise AwsError that names the members of `refused` that are in `params`, each with what to do instead.

    A path `A.B` is the member B of A, or of each item of A when A is a list.
    """
    found = [f"{path} ({instead})" for path, instead in refused.items() if any(_reached(params, path.split(".")))]
    if found:
        message = f"The local cloud does not support these members of {operation} yet: {'; '.join(found)}."
        raise AwsError("ValidationException", message)


def _reached(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _reached(item, path)
    elif not path:
        yield True
    elif isinstance(value, dict) and value.get(path[0]) is not None:
        yield from _reached(value[path[0]], path[1:])
