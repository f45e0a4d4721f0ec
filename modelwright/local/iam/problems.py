"""What can be wrong with a policy: told when the policy is loaded, so that a deploy fails and not, later, a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Sequence


class PolicyError(ModelwrightError):
    """Everything that is wrong in one policy document, each with its place."""

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        """Report `problems`, of which there is at least one, as being in the policy `where`."""
        if not problems:
            raise ValueError("a PolicyError without a problem")
        self.where = where
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{where}: {problem}" for problem in problems))


class UnknownValue(Exception):  # noqa: N818  # not a user's mistake: the authority turns it into an answer
    """A policy asks for something that the local cloud was not told: no decision can be right."""

    def __init__(self, key: str, reason: str) -> None:
        """Name the condition key and why it has no value."""
        super().__init__(f"a policy asks for {key}, but {reason}")


class Problems:
    """Collects problems by place while a document is read, so that all are told at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self.found: list[str] = []

    def add(self, place: str, text: str) -> None:
        """Remember that at `place` (`Statement[0].Condition`) something is wrong, as `text` says."""
        self.found.append(f"{place}: {text}" if place else text)

    def raise_if_any(self, where: str) -> None:
        """Raise PolicyError for the policy `where` when there is a problem."""
        if self.found:
            raise PolicyError(where, self.found)
