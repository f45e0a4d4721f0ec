"""Which models and endpoint configurations may go. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Named:
    """A model or a configuration."""

    name: str
    created: datetime


def run_of(name: str, pipeline: str) -> str | None:
    """The run that made a model or a configuration of this name; None when no run of this pipeline did.

    Another pipeline's name may begin with this one's (`penguins`, `penguins-2`): only `<pipeline>-<12 hex>-<number>` is
    ours.
    """
    found = re.fullmatch(re.escape(pipeline) + r"-([0-9a-f]{12})-[0-9]+", name)
    return found[1] if found else None


def beyond(ours: list[Named], keep: int, used: frozenset[str]) -> list[str]:
    """The names beyond the newest `keep`, oldest first; never one that is used.

    `keep` counts what is kept beside the one that serves.
    """
    candidates = [item for item in ours if item.name not in used]
    newest_first = sorted(candidates, key=lambda item: (item.created, item.name), reverse=True)
    return [item.name for item in reversed(newest_first[keep:])]
