"""Files of the object store that nothing names any more, and how they go.

A file is shared by all that has its content, so a deletion only notes the hash. What is noted is looked for in every
document and entry when nobody writes (at the start and at the stop), and removed when no text holds its hash.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelwright.local.store.database import Database
    from modelwright.local.store.objects import ObjectStore

KIND = "garbage"
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def note(database: Database, hashes: Iterable[str]) -> None:
    """Write down that something that named these hashes is gone."""
    for sha256 in hashes:
        database.put(KIND, sha256, {})


def forget(database: Database, hashes: Iterable[str]) -> None:
    """Take back what was written down: something names these hashes now."""
    for sha256 in hashes:
        database.delete(KIND, sha256)


def collect(database: Database, objects: ObjectStore) -> int:
    """Remove the noted files that nothing names; how many. Call it while nobody writes."""
    noted = {sha256 for sha256, _ in database.all(KIND)}
    if not noted:
        return 0
    for body in database.bodies(without_kind=KIND):
        noted.difference_update(_HASH.findall(body))
    for sha256 in noted:
        objects.delete(sha256)
    database.delete_all(KIND)
    return len(noted)
