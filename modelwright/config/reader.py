"""Reading a checked document: one question a key, each answered with a value of the right type or with a problem.

A reader never stops at a problem: it notes it, answers with a harmless value, and goes on, so that a person learns of
everything at once. Whoever reads must look at `problems` before using a value.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelwright.config.document import Node, Scalar
from modelwright.errors import Problem, names, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LONGEST_SHOWN = 60
ENOUGH = 10**9
"""Where AWS has no limit: keeps out what is no number of anything, and what would be too large for its arithmetic."""


def shown(value: object) -> str:
    """Return `value` as a person would have written it, cut when it is long."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None | "":
            return "empty"
        case bool():
            text = str(value).lower()
        case str():
            text = repr(value)
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


@dataclass
class Section:
    """One mapping of a document that is being read; `problems` is shared by the whole document."""

    file: str
    key: str
    node: Node
    problems: list[Problem]
    not_yet: Mapping[str, str] = field(default_factory=dict)
    """Keys that are planned and not supported now, each with what to do instead."""
    _asked: list[str] = field(default_factory=list)

    @property
    def _children(self) -> dict[str, Node]:
        return self.node.value if isinstance(self.node.value, dict) else {}

    def has(self, key: str) -> bool:
        """Tell whether `key` is written, be it with an empty value."""
        return key in self._children

    def keys(self) -> list[str]:
        """Return the written keys in their order."""
        return list(self._children)

    def child(self, key: str, *, required: bool = False, allowed: str = "given") -> Node | None:
        """Return the value at `key`; None when it is not written, a problem when it is `required` and is not."""
        self._asked.append(key)
        found = self._children.get(key)
        if found is None and required:
            self.problem(key, f"is missing; it must be {allowed}.")
        return found

    def text(self, key: str, default: str | None = None, *, pattern: str = "", allowed: str = "a text") -> str:
        """Return the text at `key`: not empty, matching `pattern` whole if there is one. Required without a default."""
        found = self.child(key, required=default is None, allowed=allowed)
        if found is None:
            return default or ""
        value = found.value
        if not isinstance(value, str) or not value.strip() or (pattern and not re.fullmatch(pattern, value)):
            quote = f'; put it in quotes: "{shown(value)}"' if isinstance(value, int | float) else ""
            self.problem(key, f"is {shown(value or None if value == '' else value)}; it must be {allowed}{quote}.")
            return default or ""
        return value

    def optional_text(self, key: str, *, pattern: str = "", allowed: str = "a text") -> str | None:
        """Return the text at `key`, or None when it is not written."""
        return self.text(key, "", pattern=pattern, allowed=allowed) or None

    def integer(
        self, key: str, default: int | None = None, *, least: int = 1, most: int | None = None, whose: str = ""
    ) -> int:
        """Return the whole number at `key`, from `least` to `most`. Required without a default.

        `whose` says where `most` is written, when it is no limit of AWS's. `ENOUGH` is none of anybody's: no more is
        said of it than has to be.
        """
        written = self._children.get(key)
        far = written is not None and isinstance(written.value, int) and written.value > ENOUGH
        between = _range(least, None if most == ENOUGH and not far else most) + (f", {whose}" if whose else "")
        allowed = f"a whole number, {between}"
        found = self.child(key, required=default is None, allowed=allowed)
        if found is None:
            return least if default is None else default
        value = found.value
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and least <= value <= (value if most is None else most)
        ):
            return value
        whole = isinstance(value, int) and not isinstance(value, bool)
        self.problem(key, f"is {shown(value)}; it must be {between if whole else allowed}.")
        return least if default is None else default

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """Return the number at `key`, from `least` to `most`."""
        found = self.child(key)
        if found is None:
            return default
        value = found.value
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        self.problem(key, f"is {shown(value)}; it must be a number, {least:g} to {most:g}.")
        return default

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None, not_yet: Iterable[str] = ()) -> str:
        """Return the text at `key`, one of `allowed`. Required without a default."""
        found = self.child(key, required=default is None, allowed=names(allowed, "or"))
        if found is None:
            return allowed[0] if default is None else default
        value = found.value
        if isinstance(value, str) and value in allowed:
            return value
        later = " (planned, not supported yet)" if value in list(not_yet) else ""
        near = nearest(value, allowed) if isinstance(value, str) and not later else []
        hint = f" Did you mean {near[0]}?" if near and len(allowed) > 1 else ""
        self.problem(key, f"is {shown(value)}{later}; it must be {names(allowed, 'or')}.{hint}")
        return allowed[0] if default is None else default

    def section(self, key: str, *, required: bool = False, not_yet: Mapping[str, str] | None = None) -> Section:
        """Return the mapping at `key`; an empty one when it is not written.

        What a missing or wrong section lacks is not reported too: that would be one mistake many times.
        """
        found = self.child(key, required=required, allowed="a mapping (`key: value` lines)")
        problems = [] if found is None and required else self.problems
        if found is not None and not isinstance(found.value, dict):
            self.problem(key, f"is {shown(found.value)}; it must be a mapping (`key: value` lines).")
            found, problems = None, []
        return Section(self.file, self.dotted(key), found or Node({}, self.line(key)), problems, not_yet or {})

    def items(self, key: str) -> list[Node]:
        """Return the list at `key`; an empty one when it is not written."""
        found = self.child(key)
        if found is None:
            return []
        if isinstance(found.value, list):
            return found.value
        self.problem(key, f"is {shown(found.value)}; it must be a list (`- value` lines).")
        return []

    def dotted(self, key: str) -> str:
        """Return `key` as the user would find it from the top of the file."""
        return ".".join(part for part in (self.key, key) if part)

    def line(self, key: str = "") -> int:
        """Return the line of `key`, or of this mapping when it is not written."""
        found = self._children.get(key)
        return found.line if found else self.node.line

    def problem(self, key: str, message: str, line: int | None = None) -> None:
        """Note that the value at `key` is wrong."""
        self.problems.append(Problem(self.file, self.dotted(key), message, line or self.line(key)))

    def is_wrong(self, *keys: str) -> bool:
        """Tell whether anything called so, here or below, is wrong: what depends on it would be said for nothing."""
        below = f"{self.key}." if self.key else ""
        return any(
            each.file == self.file and each.key.startswith(below) and each.key.rsplit(".", 1)[-1] in keys
            for each in self.problems
        )

    def finish(self) -> None:
        """Note every key that nobody asked for: planned ones by name, others with the nearest known key."""
        known = list(dict.fromkeys(self._asked))
        for key in self._children:
            if key in known:
                continue
            if key in self.not_yet:
                self.problem(key, f"is not supported yet; {self.not_yet[key]}.")
                continue
            near = nearest(key, known)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {names(known)}."
            self.problem(key, f"is not a known key; {hint}")


def json_value(node: Node) -> bool:
    """Tell whether `node` can be written as JSON: no infinity and no NaN anywhere in it."""
    if isinstance(node.value, dict):
        return all(json_value(child) for child in node.value.values())
    if isinstance(node.value, list):
        return all(json_value(child) for child in node.value)
    return _finite(node.value)


def _finite(value: Scalar) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _range(least: int, most: int | None) -> str:
    return f"{least} or more" if most is None else f"{least} to {most}"
