"""Media types of requests and answers: `Content-Type` with its parameters, `Accept` with its q values.

Follows RFC 9110, 8.3.1 and 12.5.1: https://www.rfc-editor.org/rfc/rfc9110
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelwright.serving.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
NPZ = "application/x-npz"
TEXT_TYPES = frozenset({JSON, CSV})
"""Bodies of these types reach a script as `str`, all others as `bytes`, as in AWS's own containers:
https://github.com/aws/sagemaker-inference-toolkit (content_types.UTF8_TYPES)"""

_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Python's own, in which nobody writes a body; those of names of hosts take minutes for a long one:
https://docs.python.org/3/library/codecs.html#python-specific-encodings"""


@dataclass(frozen=True)
class MediaType:
    """A media type in lower case, without its parameters, and the parameters beside it."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def charset(self) -> str:
        """The charset of the body: what the type says, else UTF-8."""
        return self.parameters.get("charset", "utf-8")


def parse_media_type(header: str) -> MediaType:
    """Read a `Content-Type`; RequestError 415 when it is none (`csv`, `text/`)."""
    name, *rest = (part.strip() for part in _split(header, ";"))
    kind, slash, subtype = name.lower().partition("/")
    if not (slash and _is_token(kind) and _is_token(subtype)):
        raise RequestError(
            415, "UnsupportedMediaType", f"Content-Type is {header!r}; it must be a media type such as {CSV} or {JSON}."
        )
    return MediaType(f"{kind}/{subtype}", _parameters(rest))


def decode(body: bytes, media_type: MediaType) -> str:
    """Return the body as text by its charset, without a byte order mark; RequestError when it is not that text."""
    charset = media_type.charset
    try:
        codec = codecs.lookup(charset).name
        if codec.replace("_", "-") in _NO_CHARSETS:
            raise _unknown_charset(charset)
        text = body.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeError as error:
        raise RequestError(400, "BadRequest", f"The body is not {charset}: {error}.") from None
    except (LookupError, ValueError):
        raise _unknown_charset(charset) from None
    return text.removeprefix("\ufeff")


def _unknown_charset(charset: str) -> RequestError:
    return RequestError(415, "UnsupportedMediaType", f"The charset {charset!r} is not known; use utf-8.")


def ranked(accept: str) -> list[str]:
    """Return the media ranges of an `Accept` in the order of preference, those with q=0 left out.

    Of two with the same q the one that stands first is first. An empty header accepts everything.
    """
    found: list[tuple[float, int, str]] = []
    for position, part in enumerate(_split(accept, ",")):
        name, *rest = (piece.strip() for piece in _split(part, ";"))
        if not name:
            continue
        found.append((-_quality(_parameters(rest), accept), position, name.lower()))
    if not found:
        return ["*/*"]
    return [name for quality, _, name in sorted(found) if quality < 0]


def matches(media_range: str, name: str) -> bool:
    """Say whether `text/csv` is in a range such as `text/*`."""
    return media_range in ("*/*", "*", name) or (media_range.endswith("/*") and name.startswith(media_range[:-1]))


def candidates(accept: str, supported: Sequence[str] | None, default: str) -> list[str]:
    """Return the types to answer in, best first; `default` stands for everything.

    With `supported` known, only those; RequestError 406 when there is none. Without it (a script's own `output_fn`
    that does not say what it can do) the ranges themselves, and the script decides.
    """
    known = list(supported) if supported is not None else [default, JSON, CSV, NPY]
    if default in known:
        known = [default, *(name for name in known if name != default)]
    found: list[str] = []
    for media_range in ranked(accept):
        inside = [name for name in known if matches(media_range, name)]
        if not inside and supported is None and "*" not in media_range:
            inside = [media_range]
        found += [name for name in (inside[:1] if "*" in media_range else inside) if name not in found]
    if not found:
        allowed = ", ".join(known)
        raise RequestError(406, "NotAcceptable", f"Accept is {accept!r}; this model answers in {allowed}.")
    return found


def _quality(parameters: Mapping[str, str], accept: str) -> float:
    text = parameters.get("q", "1")
    try:
        quality = float(text)
    except ValueError:
        quality = -1.0
    if not 0 <= quality <= 1:
        raise RequestError(400, "BadRequest", f"Accept is {accept!r}; q must be a number from 0 to 1, found {text!r}.")
    return quality


def _parameters(parts: Sequence[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts if part)
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _split(text: str, separator: str) -> list[str]:
    """Split outside of quoted strings."""
    if '"' not in text:
        return text.split(separator)
    parts, quoted, current = [], False, ""
    for character in text:
        quoted ^= character == '"'
        if character == separator and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]


def _is_token(text: str) -> bool:
    return bool(text) and all(c.isalnum() or c in "!#$&-^_.+%'*`|~" for c in text)
