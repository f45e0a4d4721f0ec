"""What CodeCommit's event says, what is told of a commit that cannot be released, and what is announced of one that is.

https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

SOURCE, DETAIL_TYPE = "modelwright", "Merge"
MOVED = ("referenceCreated", "referenceUpdated")
"""What a push does to a branch; `referenceDeleted` has no commit, and there is nothing to publish."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a subject of 100 characters, a message of 256 KiB
MAX_SUBJECT_CHARACTERS, MAX_PROBLEM_CHARACTERS = 100, 20_000


class NotAMerge(Exception):
    """The function was called with something else than the event that its rule lets through."""


@dataclass(frozen=True)
class Merge:
    """A branch of a repository that came to stand at a commit, by a push, a merge or by force."""

    event_id: str
    repository: str
    branch: str
    commit: str

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> Merge:
        """Read the event of EventBridge; raise `NotAMerge` with all that is not as it must be."""
        detail = event.get("detail") or {}
        wanted = {
            "id": bool(event.get("id")),
            "detail.event": detail.get("event") in MOVED,
            "detail.referenceType": detail.get("referenceType") == "branch",
            "detail.referenceName": bool(detail.get("referenceName")),
            "detail.repositoryName": bool(detail.get("repositoryName")),
            "detail.commitId": bool(_COMMIT.fullmatch(str(detail.get("commitId")))),
        }
        wrong = [name for name, right in wanted.items() if not right]
        if wrong:
            raise NotAMerge(f"This is no event of a branch that came to a commit: see its {', '.join(wrong)}.")
        return cls(event["id"], detail["repositoryName"], detail["referenceName"], detail["commitId"])


def announcement(merge: Merge, pipeline: str, release: str) -> str:
    """Return the event's detail. `event` names the push, once for ever: PrepareRun sees by it what comes twice."""
    detail = {"branch": merge.branch, "commit": merge.commit, "release": release, "event": merge.event_id}
    return json.dumps({"pipeline": pipeline, **detail})


def refusal_subject(merge: Merge, pipeline: str) -> str:
    """Return the subject of the message about a commit that cannot be released."""
    return f"{pipeline}: commit {merge.commit[:12]} was not taken"[:MAX_SUBJECT_CHARACTERS]


def refusal(merge: Merge, pipeline: str, problem: str) -> str:
    """Return the message: which commit, what is wrong with it, what is not affected, what to do."""
    where = f"{merge.branch} of {merge.repository}"
    if len(problem) > MAX_PROBLEM_CHARACTERS:
        problem = f"{problem[:MAX_PROBLEM_CHARACTERS]}\n… and more."
    return "\n".join(
        (
            f"The merge of commit {merge.commit} into {where} started no run of {pipeline}.",
            "",
            problem,
            "",
            "What serves now serves on. Correct it and push again: the next commit is taken.",
            f"See it on your machine: modelwright release {pipeline} --commit {merge.commit[:12]}",
            f"(event {merge.event_id})",
        )
    )
