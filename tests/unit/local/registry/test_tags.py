"""Tags that two callers write at once."""

from __future__ import annotations

import threading

import pytest

from modelwright.local.sagemaker.tags import read_tags, write_tags
from modelwright.local.store.database import Database


class Interrupted(Database):
    """Somebody else comes between the first reading and what follows it."""

    def __init__(self, path) -> None:
        super().__init__(path)
        self.other: threading.Thread | None = None

    def get(self, kind, key):
        found = super().get(kind, key)
        if self.other is None:
            self.other = threading.Thread(target=write_tags, args=(self, "arn", [{"Key": "b", "Value": "2"}]))
            self.other.start()
            self.other.join(0.1)
        return found


@pytest.fixture
def database(tmp_path):
    made = Interrupted(tmp_path / "state")
    yield made
    made.close()


def test_none_is_lost(database):
    write_tags(database, "arn", [{"Key": "a", "Value": "1"}])
    database.other.join(30)
    assert read_tags(database, "arn") == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
