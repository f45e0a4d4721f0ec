"""The files of an unpacked model by one hash, where somebody else has unpacked the archive: as SageMaker does.

`PackageModel` makes the same number of the same files (`lambdas/package_model/archive.py`; a contract test compares
the two), and the registry's package holds it. docs/adr/0020-scripts-from-our-own-image.md
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from modelwright.serving.problems import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHOWN = 10


def verify_files(folder: Path, expected: str) -> None:
    """Raise ArchiveError unless the folder has exactly the files of that hash: a pickle is code."""
    found = files_sha256(folder)
    if found == expected:
        return
    names = sorted(name.decode("utf-8", "replace") for name, _ in _files(folder))
    listed = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    raise ArchiveError(
        f"The model's {len(names)} files ({listed}) have the SHA-256 {found} together, but {expected} was expected; "
        "none of them is loaded."
    )


def files_sha256(folder: Path) -> str:
    """Return the SHA-256 of one line a file, sorted by name: the file's SHA-256, a space, its name in the folder."""
    lines = sorted(_files(folder))
    digest = hashlib.sha256()
    for name, path in lines:
        with open(path, "rb") as file:  # noqa: PTH123  # bytes of a name that may be no text
            digest.update(hashlib.file_digest(file, "sha256").hexdigest().encode() + b" " + name + b"\n")
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    """Every file's name within the folder, and its path; ArchiveError for a link and its like."""
    root = os.fsencode(folder)
    for here, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = os.path.join(here, name)  # noqa: PTH118  # as above
            if os.path.islink(path) or not (os.path.isfile(path) or os.path.isdir(path)):  # noqa: PTH112, PTH113, PTH114
                raise ArchiveError(f"{os.fsdecode(path)} is no plain file; a model has nothing else.")
        for name in names:
            path = os.path.join(here, name)  # noqa: PTH118
            yield os.path.relpath(path, root), path
