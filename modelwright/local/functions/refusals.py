"""What Lambda says of a request that it does not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def invalid(message: str) -> AwsError:
    """Return the error of a wrong parameter."""
    return AwsError("InvalidParameterValueException", message, 400, {"Type": "User"})


def refuse_unknown(params: Mapping[str, Any], known: set[str]) -> None:
    """Raise AwsError when there are parameters that the local cloud does not read."""
    unknown = sorted(set(params) - known)
    if unknown:
        raise invalid(f"{', '.join(unknown)}: the local cloud does not support this yet; leave it out")
