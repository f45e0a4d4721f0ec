"""The page as one HTML document: its style, its script and what it is about are inside, nothing is loaded."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).parent


def document(about: Mapping[str, Any]) -> bytes:
    """Return the document; `about` is what the script makes the form from."""
    text = _file("page.html")
    values = {
        "title": escape(str(about["title"])),
        "style": _file("page.css"),
        "script": _file("page.js"),
        "about": _inside_script(about),
    }
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text.encode()


def policy() -> str:
    """Return the Content-Security-Policy: this style and this script by their hashes, requests to its own server.

    https://www.w3.org/TR/CSP3/
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest('page.js')}'",
            f"style-src '{_digest('page.css')}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _digest(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_file(name).encode()).digest()).decode()


def _inside_script(about: Mapping[str, Any]) -> str:
    """JSON that ends no script element, whatever its texts hold: https://html.spec.whatwg.org/#restrictions-for-contents-of-script-elements."""
    return json.dumps(about, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


@cache
def _file(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
