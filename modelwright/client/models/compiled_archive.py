"""The archive of a model that is deployed compiled: its three files, by the registry's hash. Nothing in it is code."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING

from modelwright.errors import ExportRefused

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("model.onnx", "report.json", "schema.json")
_NOTHING = "Nothing was written; the endpoint serves the model as before."


def take_apart(archive: Path, sha256: str, target: Path) -> None:
    """Write the archive's files into the folder `target`; ExportRefused for another archive, or other members."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ExportRefused(
            f"The model archive has SHA-256 {found}, but {sha256} was expected; it is not loaded.", _NOTHING
        )
    try:
        with tarfile.open(archive) as tar:
            members = {member.name: member for member in tar if member.isfile()}
            if set(members) != set(FILES):
                raise ExportRefused(f"The compiled model holds {', '.join(sorted(members))}.", _NOTHING)
            for name, member in members.items():
                content = tar.extractfile(member)
                (target / name).write_bytes(content.read() if content else b"")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ExportRefused(f"The compiled model cannot be unpacked: {error}", _NOTHING) from error
