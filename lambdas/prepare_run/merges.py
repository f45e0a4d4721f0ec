"""Which merge is the last one that counts, and is this one the same. Pure."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from prepare_run.domain import RunRequest

ENDED_WELL = frozenset({"Deployed", "Rejected", "Registered"})
"""Statuses of a run after which the same content again would come to the same end."""
MOST_ENTRIES = 50

Entry = dict[str, str]
"""A merge's run: `content`, `execution`, `run`."""


def content_of(manifest: dict[str, Any], request: RunRequest, execution: str) -> str:
    """What a run of this release is made of, as a hash: two commits may have the same.

    The manifest without its commit; what the request changes of it; and the state machine, by the execution's ARN: one
    that was made again has never run this.
    """
    made_of = {key: value for key, value in manifest.items() if key not in {"commit", "clean"}}
    whole = [made_of, request.data, request.overrides, execution.rpartition(":")[0]]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def standing(status: str | None, execution: str) -> str:
    """How a run stands by its status and its execution's: `ended` well, `running`, or `gone` as if it had never been.

    An execution that was stopped, or died, wrote no end into the table: Step Functions knows.
    """
    if status in ENDED_WELL:
        return "ended"
    if status not in {None, "Running"}:
        return "gone"
    return "running" if execution in {"RUNNING", "PENDING_REDRIVE"} else "gone"


def same_before(entries: list[Entry], mine: Entry, look: Callable[[Entry], str]) -> tuple[str | None, list[Entry]]:
    """The execution whose merge this one repeats, or None; and the entries to be kept with this one as the newest.

    `entries` are the newest first. The first of them that is not gone is the last merge: an older one with this content
    was followed by another. Entries are kept down to the first that ended: those that run may yet fail.
    """
    kept, last = [mine], None
    for entry in entries:
        found = look(entry)
        if found == "gone":
            continue
        if last is None and entry["content"] == mine["content"]:
            return entry["execution"], entries
        last = entry
        kept.append(entry)
        if found == "ended":
            break
    return None, kept[:MOST_ENTRIES]
