"""Which class answers which AWS service. A name that is not here goes to moto if `gateway.MOTO_SERVICES` lists it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.service import Service

SERVICES: dict[str, str] = {
    # botocore's name of the service -> "module:Class", made as Class(cloud)
}


def load(path: str) -> Any:
    """Import `module:Name`."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def make_services(cloud: Any) -> dict[str, Service]:
    """Make every service of the table, in its order."""
    return {name: load(path)(cloud) for name, path in SERVICES.items()}
