"""Heads of requests that were seen before: a client's requests differ in their bodies, hardly ever in their heads.

Equal bytes are parsed equally: what was learnt of a head holds for each request that begins with the same bytes, where
nothing of a request has been read yet. Only what comes whole in one piece is answered so; all else is parsed.

Some headers are another in each request: ids. They change nothing but themselves, so the rest of the head is looked up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelwright.serving.http.messages import REQUEST_ID

if TYPE_CHECKING:
    from modelwright.serving.app import Known
    from modelwright.serving.http.group import Application
    from modelwright.serving.http.parsing import Parsed

MOST_KEPT = 512
LONGEST_KEPT = 2048
_END = b"\r\n\r\n"
_IDS = re.compile(
    rb"\r\n(?:(x-amzn-sagemaker-inference-id)|x-amzn-requestid|x-amzn-trace-id|x-request-id|traceparent)"
    rb": ([a-z0-9._:;=@/+-]{1,200})(?=\r\n[^ \t])",
    re.IGNORECASE,
)
"""headers of one request alone, written as nearly everybody writes them; otherwise written they are parsed"""
_SPECIAL = frozenset({"expect", "transfer-encoding", "upgrade"})
"""headers that make more of a request than its head and so many bytes of a connection that goes on"""


class Heads:
    """What answers requests by their heads, which hold the lengths of the bodies too."""

    def __init__(self, app: Application) -> None:
        """Know none."""
        self._app = app
        self._known: dict[bytes, Known] = {}
        self._seen: set[bytes] = set()
        """heads that came once: those that carry something of one request alone never come again"""

    def answer(self, data: bytes) -> bytes | None:
        """Return the response to `data`, with which a request begins; None when it has to be parsed."""
        end = data.find(_END) + 4
        start = data[:end]
        known, own = self._known.get(start), None
        if known is None:
            start, ids = _without_ids(start)
            known, own = self._known.get(start), ids[0] if ids else None
            if len(ids) > 1:
                return None
        if known is None or len(data) - end != known.length:
            return None
        return known.answer(data[end:], own)

    def learn(self, data: bytes, request: Parsed) -> None:
        """Remember the head of a request that was parsed from `data`, if `data` was that request and nothing else."""
        end, head = data.find(_END) + 4, request.head
        if not 4 <= end <= LONGEST_KEPT or request.refused is not None or not head.keep_alive or head.is_http10:
            return
        if data[end:] != request.body or head.headers.get("content-length", "") != str(len(request.body)):
            return
        if not _SPECIAL.isdisjoint(head.headers):
            return
        self._learn(data[:end], request)

    def _learn(self, start: bytes, request: Parsed) -> None:
        start, ids = _without_ids(start)
        if len(ids) != (REQUEST_ID in request.head.headers):
            return  # it is written in another way, or there are two
        if len(self._seen) >= MOST_KEPT:
            self._seen.clear()
        if start not in self._seen:
            self._seen.add(start)
            return
        known = self._app.known(request.head, len(request.body))
        if known is not None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[start] = known


def _without_ids(start: bytes) -> tuple[bytes, list[bytes]]:
    """Return a head without the headers that are of one request alone, and what it says of the request's own id."""
    found = _IDS.findall(start)
    return (_IDS.sub(b"", start), [value for name, value in found if name]) if found else (start, [])
