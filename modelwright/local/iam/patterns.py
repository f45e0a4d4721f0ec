"""Texts with wildcards and policy variables, compiled once and matched often.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Style = Literal["text", "resource", "arn"]
"""How far `*` reaches. `text`: anywhere. `resource`: as in a statement's Resource: inside one of an ARN's first five
segments, or past the colon when it ends the segment. `arn`: as in ArnLike: never past one of the first five colons."""

Values = str | tuple[str, ...]
"""What a request says for one condition key."""

UNKNOWN: Values = ("(unknown)",)
"""The value (by identity) of a key that a request has but that could not be read from it: asking for it is an error."""

_ARN_COLONS = 5
_VARIABLE = re.compile(r"\$\{\s*([^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_STAR, _ONE = object(), object()


@dataclass(frozen=True)
class Variable:
    """A policy variable: the condition key (lower case) that it stands for, and what to use when it has no value."""

    key: str
    default: str | None


Token = object
"""A literal text, `_STAR`, `_ONE` or a Variable."""


class UnknownVariableError(ValueError):
    """A `${…}` that is none of AWS's forms; the message is the rest of a sentence."""


class Pattern:
    """One text of a policy that values are compared with."""

    __slots__ = ("_match", "_tokens", "style", "text")

    def __init__(self, text: str, *, style: Style = "text", wildcards: bool = True, variables: bool = True) -> None:
        """Compile `text`; raise UnknownVariableError for a `${` that cannot be read."""
        self.text = text
        self.style: Style = style
        tokens = tuple(_tokens(text, wildcards=wildcards, variables=variables))
        fixed = not any(isinstance(token, Variable) for token in tokens)
        self._tokens = None if fixed else tokens
        self._match = _matcher(tokens, style) if fixed else None

    @property
    def variables(self) -> tuple[str, ...]:
        """The condition keys (lower case) that the text's variables stand for."""
        return tuple(token.key for token in self._tokens or () if isinstance(token, Variable))

    def matches(self, value: str, context: Mapping[str, Values]) -> bool:
        """Say whether `value` is one that the text describes; a variable without a value matches nothing."""
        if self._match is not None:
            return self._match(value)
        resolved = _resolve(self._tokens or (), context)
        return resolved is not None and _matcher(resolved, self.style)(value)


def variables_of(text: str) -> tuple[str, ...]:
    """The condition keys, as written, that the policy variables of `text` stand for."""
    return tuple(found.group(1) for found in _VARIABLE.finditer(text) if ":" in found.group(1))


def _tokens(text: str, *, wildcards: bool, variables: bool) -> Iterator[Token]:
    position = 0
    for found in _VARIABLE.finditer(text) if variables else ():
        yield from _wild(text[position : found.start()], wildcards=wildcards)
        yield _variable(found.group(0), found.group(1), found.group(2))
        position = found.end()
    rest = text[position:]
    if variables and "${" in rest:
        raise UnknownVariableError(f"has a '${{' that is not closed: {text!r}")
    yield from _wild(rest, wildcards=wildcards)


def _variable(whole: str, name: str, default: str | None) -> Token:
    if name in {"*", "?", "$"}:  # AWS's way to write the characters themselves
        return name
    if ":" not in name:
        raise UnknownVariableError(f"has the unknown policy variable {whole}")
    return Variable(name.lower(), default)


def _wild(text: str, *, wildcards: bool) -> Iterator[Token]:
    if not wildcards:
        if text:
            yield text
        return
    for part in re.split(r"([*?])", text):
        if part:
            yield {"*": _STAR, "?": _ONE}.get(part, part)


def _resolve(tokens: tuple[Token, ...], context: Mapping[str, Values]) -> tuple[Token, ...] | None:
    """Put values in the variables' places; a `*` in a value is only a character there. None when one has no value."""
    resolved: list[Token] = []
    for token in tokens:
        if not isinstance(token, Variable):
            resolved.append(token)
            continue
        value = context.get(token.key, token.default)
        if not isinstance(value, str):  # absent, or several values: no text can be made of it
            return None
        resolved.append(value)
    return tuple(resolved)


@lru_cache(maxsize=4096)
def _matcher(tokens: tuple[Token, ...], style: Style) -> Callable[[str], bool]:
    if not any(token is _STAR or token is _ONE for token in tokens):
        text = "".join(str(token) for token in tokens)
        return text.__eq__
    if tokens == (_STAR,) and style != "arn":
        return lambda _value: True
    compiled = re.compile(_regex(tokens, style), re.DOTALL)
    return lambda value: compiled.fullmatch(value) is not None


def _regex(tokens: tuple[Token, ...], style: Style) -> str:
    colons, parts = 0, []
    for index, token in enumerate(tokens):
        narrow = style != "text" and colons < _ARN_COLONS
        if token is _STAR:
            spans = style == "resource" and _ends_segment(tokens, index)
            parts.append("[^:]*" if narrow and not spans else ".*")
        elif token is _ONE:
            parts.append("[^:]" if narrow else ".")
        else:
            text = str(token)
            colons += text.count(":")
            parts.append(re.escape(text))
    return "".join(parts)


def _ends_segment(tokens: tuple[Token, ...], index: int) -> bool:
    following = tokens[index + 1] if index + 1 < len(tokens) else ":"
    return isinstance(following, str) and following.startswith(":")
