"""botocore's descriptions of AWS's services, each read once in this process: clients and moto share them.

By default botocore looks through the folders of all 400 services for each kind of file, and moto makes a new loader for
each service: 20 ms a service, twice.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from botocore.loaders import Loader


class ModelLoader(Loader):  # type: ignore[misc]  # botocore carries no types
    """botocore's loader, that looks into the folder of the service that is asked for only."""

    def list_available_services(self, type_name: str) -> Collection[str]:
        """The services that have this kind of file."""
        return _Available(self, type_name)

    def has(self, service: str, type_name: str) -> bool:
        """True when the service has this kind of file."""
        return any(
            self.file_loader.exists(os.path.join(folder, service, version, type_name))  # noqa: PTH118  # botocore's way
            for folder in self.search_paths
            for version in _entries(os.path.join(folder, service))  # noqa: PTH118
        )


class _Available(Collection[str]):
    """The names are looked for when they are asked for: botocore asks for one."""

    def __init__(self, loader: ModelLoader, type_name: str) -> None:
        self._loader = loader
        self._type_name = type_name

    def __contains__(self, service: object) -> bool:
        return isinstance(service, str) and self._loader.has(service, self._type_name)

    def __iter__(self) -> Iterator[str]:
        return iter(Loader.list_available_services(self._loader, self._type_name))

    def __len__(self) -> int:
        return len(list(iter(self)))


@cache
def loader() -> ModelLoader:
    """The one loader of this process, for a botocore session's component `data_loader`."""
    return ModelLoader()


def share_with_moto() -> None:
    """Let moto take its models from the same loader; those that it adds to (S3, SQS) stay its own."""
    from moto.core import utils  # noqa: PLC0415  # who reads a model only needs no moto

    utils._load_service_model = _for_moto  # noqa: SLF001  # moto's one place where models are read


def _for_moto(service: str, type_name: str) -> Any:
    from moto.core.loaders import create_loader, moto_root  # noqa: PLC0415

    if _has_additions(os.path.join(moto_root, service.replace("-", ""))):  # noqa: PTH118
        return create_loader().load_service_model(service, type_name)
    return loader().load_service_model(service, type_name)


def _has_additions(folder: str) -> bool:
    versions = (version for version in _entries(folder) if version[:2] == "20")
    return any("moto-extras" in name for each in versions for name in _entries(os.path.join(folder, each)))  # noqa: PTH118


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []
