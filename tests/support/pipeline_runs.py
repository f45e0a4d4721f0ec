"""Runs from their begin to their end: good ones, rejected ones, and those that fail on the way."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline_stage import Seen, Stage

NO_RELEASE = "0" * 64


def unrelated(seen: Seen) -> Seen:
    """Of a run that does not come to the endpoint: what is there is of runs before."""
    return replace(seen, serves="", left=(0, 0))


def first(stage: Stage) -> Seen:
    """A first deployment: there is no endpoint."""
    return stage.run("good")


def update(stage: Stage) -> Seen:
    """An update of what serves; an old model goes."""
    return stage.run("good")


def rejected(stage: Stage) -> Seen:
    """A model that misses the gate."""
    return stage.run("strict")


def compiled(stage: Stage) -> Seen:
    """A model that has to be compiled, by images that have to be built first."""
    return stage.run("compilable")


def undone_first(stage: Stage) -> Seen:
    """A first deployment that fails the smoke test: the endpoint goes again."""
    return stage.run("mute")


def unloadable(stage: Stage) -> Seen:
    """A first deployment of a model that cannot be loaded."""
    return stage.run("broken")


def undone_update(stage: Stage) -> Seen:
    """An update that fails the smoke test: what served before serves again."""
    return stage.run("mute")


def made_anew(stage: Stage) -> Seen:
    """The endpoint is broken: it goes, and is made again."""
    return stage.run("good")


def no_release(stage: Stage) -> Seen:
    """The release is not there."""
    return unrelated(stage.run(NO_RELEASE))


def no_commit(stage: Stage) -> Seen:
    """The release that a commit points to is not there."""
    commit = "c" * 40
    stage.point(f"commits/penguins/{commit}.json", NO_RELEASE)
    return unrelated(stage.run("commit", trigger={"kind": "merge", "id": str(uuid.uuid4()), "commit": commit}))


def silent(stage: Stage) -> Seen:
    """The evaluation writes no report."""
    return unrelated(stage.run("silent"))


def duplicate(stage: Stage) -> Seen:
    """The same event again."""
    trigger = {"kind": "manual", "id": str(uuid.uuid4())}
    stage.run(NO_RELEASE, trigger=trigger)
    return unrelated(stage.run(NO_RELEASE, trigger=trigger))
