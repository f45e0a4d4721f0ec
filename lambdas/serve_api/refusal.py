"""What is answered instead of predictions: a status, a word for programs, a sentence for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serve_api.schema import Problem

MOST_SHOWN = 100
"""Problems in an answer: a million wrong rows are one mistake."""


class Refusal(Exception):
    """An answer that is no prediction."""

    def __init__(
        self, status: int, error: str, message: str, problems: Sequence[Problem] = (), detail: str = ""
    ) -> None:
        """Take the HTTP status, a name of the mistake, and what to do about it.

        `detail` is for the log: names of buckets, accounts and files are the operator's, not the caller's.
        """
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.problems = tuple(problems)
        self.detail = detail

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON: `message` as API Gateway's own answers have it, and what programs read."""
        found: dict[str, Any] = {"error": self.error, "message": self.message}
        if self.problems:
            found["problems"] = [problem.to_dict() for problem in self.problems[:MOST_SHOWN]]
            found["problem_count"] = len(self.problems)
        return found
