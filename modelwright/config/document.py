"""YAML text as a tree in which each value knows its line, so that each problem can say where it is.

YAML is read by the rules of version 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), in which `no` is
the text "no" (Norway's code, not false), `1e-3` is a number, and `12:30` and `2026-01-01` are texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from modelwright.errors import Problem, nearest

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_PREFIX = "tag:yaml.org,2002:"
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one when this PyYAML was built with it: 8 x faster


class _Loader(_Base):  # type: ignore[misc] # one of two classes, chosen above
    """PyYAML's loader with the core schema's five kinds of plain scalar."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 # PyYAML's own name


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_PREFIX + _tag, re.compile(_pattern), _first)


@dataclass(frozen=True)
class Node:
    """One value of the document and the line that it begins in, from 1."""

    value: Scalar | list[Node] | dict[str, Node]
    line: int

    def plain(self) -> Any:
        """Return the value as Python's own types, without lines."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


Scalar = str | int | float | bool | None


def read_document(path: Path, shown: str, problems: list[Problem]) -> Node | None:
    """Read the YAML file at `path`; what is wrong with it goes to `problems` under the name `shown`.

    Returns None when there is nothing to read; the tree of what could be read otherwise.
    """
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        problems.append(Problem(shown, "", "is a folder; it must be a file."))
        return None
    except OSError as error:
        problems.append(Problem(shown, "", _unreadable(path, error)))
        return None
    return parse(content, shown, problems)


def parse(content: bytes, shown: str, problems: list[Problem]) -> Node | None:
    """Parse YAML from `content`, as `read_document` does. Never raises, whatever the bytes are."""
    if len(content) > MAX_BYTES:
        problems.append(Problem(shown, "", f"has {len(content)} bytes; it must have at most {MAX_BYTES}."))
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem(shown, "", f"has the byte 0x{content[error.start]:02x}; it must be UTF-8 text.", line))
        return None
    try:
        refused = _refused_event(text)
        root = None if refused else yaml.compose(text, _Loader)
    except yaml.YAMLError as error:
        problems.append(_syntax(error, text, shown))
        return None
    if refused:
        problems.append(Problem(shown, "", *refused))
        return None
    return _Tree(shown, problems).document(root)


def _unreadable(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {error.strerror}."
    siblings = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    near = nearest(path.name, siblings)
    return f"is missing; found {near[0]}, which must be named {path.name}." if near else "is missing."


def _refused_event(text: str) -> tuple[str, int] | None:
    """Look for what our files never need: aliases and deep nesting, which can be endless, and tags.

    Returns the message and the line of the first.
    """
    depth = 0
    for event in yaml.parse(text, _Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            return "has an alias (`*name`), which is not supported; write the value out.", line
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            tag = tag.replace(_PREFIX, "!!")
            return f"has the YAML tag {tag}, which is not supported; write the plain value.", line
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return f"is nested more than {MAX_DEPTH} levels deep.", line
    return None


def _syntax(error: yaml.YAMLError, text: str, shown: str) -> Problem:
    """Say in which line the text stops being YAML, and why; a tab, the usual culprit, by name."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else None
    lines = text.splitlines()
    if line and line <= len(lines):
        written = lines[line - 1]
        if "\t" in written[: len(written) - len(written.lstrip())]:
            return Problem(shown, "", "is indented by a tab; YAML is indented by spaces.", line)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it could not be parsed"
    return Problem(shown, "", f"is not YAML: {reason}.", line)


class _Tree:
    """Turns PyYAML's nodes into ours and finds keys that are no text or there twice."""

    def __init__(self, shown: str, problems: list[Problem]) -> None:
        self._shown = shown
        self._problems = problems

    def document(self, root: yaml.Node | None) -> Node | None:
        if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _PREFIX + "null"):
            self._problems.append(Problem(self._shown, "", "is empty; it must hold `key: value` lines."))
            return None
        if not isinstance(root, yaml.MappingNode):
            kind = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
            self._problem("", f"is {kind}; it must hold `key: value` lines.", root)
            return None
        return self._node(root, "")

    def _node(self, node: yaml.Node, key: str) -> Node:
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return Node(self._mapping(node, key), line)
        if isinstance(node, yaml.SequenceNode):
            return Node([self._node(child, f"{key}[{i}]") for i, child in enumerate(node.value)], line)
        return Node(self._scalar(node, key), line)

    def _mapping(self, node: yaml.MappingNode, key: str) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _PREFIX + "str":
                self._problem(key, f"has the key {_shown_key(key_node)}; a key must be a text.", key_node)
                continue
            name = str(key_node.value)
            dotted = f"{key}.{name}" if key else name
            if name in found:
                self._problem(dotted, f"is there twice; it is also in line {found[name].line}.", key_node)
                continue
            child = self._node(value_node, dotted)
            found[name] = Node(child.value, key_node.start_mark.line + 1)
        return found

    def _scalar(self, node: yaml.Node, key: str) -> Scalar:
        text = str(node.value)
        match node.tag.removeprefix(_PREFIX):
            case "null":
                return None
            case "bool":
                return text.casefold() == "true"
            case "int":
                return self._integer(text, node, key)
            case "float":
                return float(re.sub(r"\.(?=inf|nan)", "", text.casefold()))
        return text

    def _integer(self, text: str, node: yaml.Node, key: str) -> int:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        digits = text[2:] if base != 10 else text
        if len(digits) > 100:
            self._problem(key, f"is a number of {len(digits)} digits; it must have at most 100.", node)
            return 0
        return int(digits, base)

    def _problem(self, key: str, message: str, node: yaml.Node) -> None:
        self._problems.append(Problem(self._shown, key, message, node.start_mark.line + 1))


def _shown_key(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "that is no single value"
