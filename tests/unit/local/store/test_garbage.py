from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.store.database import Database
from modelwright.local.store.garbage import collect, note
from modelwright.local.store.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path


def test_only_what_is_noted_and_named_nowhere_is_removed(tmp_path: Path) -> None:
    database, objects = Database(tmp_path / "s"), ObjectStore(tmp_path / "objects")
    document, entry, lost, unnoted = (objects.put(name) for name in (b"document", b"entry", b"lost", b"unnoted"))
    database.put("endpoint", "e", {"files": [{"path": f"s3://b/{document}/model.tar.gz"}]})
    database.append("history", [{"text": f'"{entry}"'}])
    note(database, [document, entry, lost])
    assert collect(database, objects) == 1
    assert objects.hashes() == sorted([document, entry, unnoted])
    assert not objects.has(lost)
    database.delete("endpoint", "e")
    assert collect(database, objects) == 0  # nobody has noted it since
    note(database, [document])
    assert collect(database, objects) == 1
    database.close()
