"""Which resource types the local cloud makes, and how true each of them is.

Every type has a declared level, a type without one is an error: `docs/local.md` shows this table.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from .intrinsics import Physical, TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud


class Level(Enum):
    """How much of a resource's behaviour can be observed locally."""

    RUNS = "runs"
    ENFORCED = "enforced"
    RECORDED = "recorded"


@dataclass(frozen=True)
class Resource:
    """One resource of a stack, its properties resolved."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    deletion: str = "Delete"
    """Its DeletionPolicy: whatever is not Delete keeps it when its stack goes, or it from its stack."""
    replacement: str = "Delete"
    """Its UpdateReplacePolicy."""

    def name(self, limit: int, *, lower: bool = False) -> str:
        """The name that CloudFormation would make up, `<stack>-<logical id>-<suffix>`; the same at every deploy."""
        suffix = self.digest()[:12]
        stem = f"{self.stack}-{self.logical_id}"[: limit - 13].rstrip("-")
        return f"{stem}-{suffix}".lower() if lower else f"{stem}-{suffix}"

    def digest(self) -> str:
        """A hex digest of what the resource is: the same for the same stack, logical id and type."""
        return hashlib.sha256(f"{self.stack}/{self.logical_id}/{self.type}".encode()).hexdigest()

    def uuid(self) -> str:
        """A UUID with the same property."""
        return str(uuid.UUID(self.digest()[:32]))

    def required(self, key: str) -> Any:
        """A property that the type cannot be without."""
        if key not in self.properties:
            raise TemplateError(f"{self.stack}: {self.logical_id} ({self.type}) has no property {key!r}.")
        return self.properties[key]

    def only(self, *known: str) -> None:
        """Refuse properties that the local cloud does not read: dropping one silently would be a lie."""
        unknown = sorted(set(self.properties) - set(known))
        if unknown:
            raise TemplateError(
                f"{self.stack}: {self.logical_id} ({self.type}) has {', '.join(unknown)}, which the local cloud "
                f"does not know; it knows {', '.join(sorted(known))}."
            )


class Put(Protocol):
    """Create the resource, or bring an earlier one of the same physical id to these properties."""

    def __call__(self, cloud: Cloud, resource: Resource) -> Physical:
        """What the resource is known by from now on."""


class Remove(Protocol):
    """Remove what was made of the resource. It may be in use, or gone already."""

    def __call__(self, cloud: Cloud, resource: Resource, physical: Physical) -> None:
        """Raise whatever keeps it from going."""


@dataclass(frozen=True)
class Handler:
    """How one resource type is made."""

    type: str
    level: Level
    note: str  # what can be observed, or why it is only recorded
    put: Put
    remove: Remove | None


_HANDLERS: dict[str, Handler] = {}


def resource(type_: str, level: Level, note: str, *, remove: Remove | None = None) -> Callable[[Put], Put]:
    """Declare the function below as the maker of a resource type."""

    def register(put: Put) -> Put:
        _HANDLERS[type_] = Handler(type_, level, note, put, remove)
        return put

    return register


def handlers() -> Mapping[str, Handler]:
    """Every resource type that the local cloud makes."""
    from . import resources  # noqa: F401, PLC0415 - the modules register themselves on import; they import this one

    return _HANDLERS


def handler_for(resource: Resource) -> Handler:
    """The maker of this resource's type, or an error that names the type."""
    found = handlers().get(resource.type)
    if found is None:
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} is a {resource.type}, which the local cloud does not make. "
            f"It makes: {', '.join(sorted(handlers()))}."
        )
    return found
