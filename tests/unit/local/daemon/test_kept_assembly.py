"""The copy of what was deployed: where it cannot be made, one sentence says why, however many files there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.errors import StateUnusable
from modelwright.local.daemon import deployed

if TYPE_CHECKING:
    from pathlib import Path


def test_many_files_that_cannot_be_copied_are_one_sentence_and_leave_nothing(tmp_path: Path) -> None:
    assembly, state = tmp_path / "cdk.out", tmp_path / "state"
    assembly.mkdir()
    for number in range(50):
        (assembly / f"{number}.json").symlink_to("nothing")
    cloud: Any = SimpleNamespace(directory=state)
    with pytest.raises(StateUnusable) as refused:
        deployed.deploy(cloud, assembly)
    assert refused.value.message == (
        f"{assembly} cannot be copied to {state / 'deployed'}: [Errno 2] No such file or directory."
    )
    assert refused.value.hint == "Free some space there, or make it writable; nothing that was written before is lost."
    assert list((state / "deployed").iterdir()) == []
