"""Which models and endpoint configurations may go. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MOST_AT_ONCE = 100
"""Of each kind: their names travel through the state machine. The next run goes on."""


@dataclass(frozen=True)
class Named:
    """A model or a configuration."""

    name: str
    created: datetime


def prefix(environment: str, pipeline: str) -> str:
    """What the names of this pipeline's models and configurations begin with; others' may begin with it, too."""
    return f"{environment}-{pipeline}-"


def is_ours(name: str, environment: str, pipeline: str) -> bool:
    """Whether a run of this pipeline in this environment made the model or configuration of this name.

    Another pipeline's name may begin with this one's (`penguins`, `penguins-2`), and another environment in the same
    account may have the same pipeline: only `<environment>-<pipeline>-<run id>-<attempt>` is ours.
    """
    return re.fullmatch(re.escape(prefix(environment, pipeline)) + r"[0-9a-f]{12}-[0-9]{2}", name) is not None


def beyond(ours: list[Named], keep: int, used: frozenset[str]) -> list[str]:
    """The names beyond the newest `keep`, oldest first; never one that is used, and no more than one answer holds.

    `keep` counts what is kept beside the one that serves.
    """
    candidates = [item for item in ours if item.name not in used]
    newest_first = sorted(candidates, key=lambda item: (item.created, item.name), reverse=True)
    return [item.name for item in reversed(newest_first[keep:])][:MOST_AT_ONCE]
