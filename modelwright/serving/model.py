"""A loaded model and what it does with one request. What serves (`app.py`) knows only this interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Request:
    """The body of `POST /invocations` and its headers, these in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True)
class Answer:
    """A prediction as it is sent back."""

    body: bytes
    content_type: str


class Model(Protocol):
    """One way to predict: the user's Python functions here; a compiled model has the same two steps."""

    execution_parameters: Mapping[str, Any] | None
    """what `/execution-parameters` answers; None: 404"""
    inline: bool
    """whether `run` takes microseconds for a small body, cannot hang, and may be called from two threads at once: then
    small bodies run in the event loop, and no thread is paid for"""
    gathers: bool
    """whether requests that come together are answered together: the model has the steps of `gather.Steps` then"""

    def warm_up(self) -> None:
        """Do what the first request would have to wait for; called once in each process that serves, after the fork
        and before it takes a request. Raises StartupError.
        """

    def prepare(self, request: Request) -> Any:
        """Check what can be checked without running anything; raises RequestError. Runs in the event loop: quick."""

    def run(self, prepared: Any) -> Answer:
        """Predict; raises RequestError. Runs in a thread, one call at a time, or in the event loop (`inline`)."""


@dataclass(frozen=True)
class Quick:
    """A shorter way for small bodies of certain headers, for the event loop alone."""

    answer: Callable[[bytes], bytes | None]
    """body to body, as `prepare` and `run` would give it; None: go their way, which tells what is wrong"""
    content_type: str
    """of what it answers"""


@runtime_checkable
class QuickModel(Protocol):
    """An `inline` model that knows shorter ways."""

    def quick(self, content_type: str, accept: str) -> Quick | None:
        """Return what answers bodies with these two headers; None when there is no shorter way for them."""
