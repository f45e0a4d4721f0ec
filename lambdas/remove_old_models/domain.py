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


SHADOW_ATTEMPT = "9"
"""The first digit of the attempt in the name of a configuration with a shadow."""


def is_shadow(name: str) -> bool:
    """Whether a configuration of ours only had the new model in the champion's shadow: not worth keeping."""
    return name[-2] == SHADOW_ATTEMPT


def archives(pipeline: str, run: str) -> str:
    """The prefix of the archives that a run made of its several models."""
    return f"models/{pipeline}/multi/{run}/"


def runs_without_models(removed: list[str], everything: list[Named]) -> list[str]:
    """The runs of which no model is left; a run that tried twice has two."""
    left = {_run(item.name) for item in everything if item.name not in removed}
    return sorted({_run(name) for name in removed} - left)


def _run(name: str) -> str:
    """The run in `<environment>-<pipeline>-<run id>-<attempt>`."""
    return name.split("-")[-2]
