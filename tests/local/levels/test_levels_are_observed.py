"""Every resource type at its declared level, seen through AWS's own API (docs/local.md).

*runs*: what it does. *enforced*: a call that it lets through and one that it refuses. *recorded*: it is there, and
nothing else is.
"""

from __future__ import annotations

from typing import Any

import api_levels
import enforced_levels
import pytest
import running_levels
from level_template import TEMPLATE

from modelwright.local.template.registry import handlers

OBSERVED = {**api_levels.OBSERVED, **enforced_levels.OBSERVED, **running_levels.OBSERVED}


@pytest.mark.parametrize("kind", sorted(OBSERVED))
def test_what_a_type_does_is_what_its_level_says(levels: Any, kind: str) -> None:
    declared, observe = OBSERVED[kind]
    assert handlers()[kind].level is declared
    observe(levels)


def test_every_type_is_observed() -> None:
    assert set(OBSERVED) == set(handlers())
    assert {resource["Type"] for resource in TEMPLATE["Resources"].values()} == set(handlers())


def test_every_note_says_what_a_level_means() -> None:
    assert all(len(handler.note) > 15 for handler in handlers().values())
