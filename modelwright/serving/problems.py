"""What can go wrong in the model server: before it serves, and in one request."""

from __future__ import annotations

import json
import traceback

from modelwright.errors import ModelwrightError


class StartupError(ModelwrightError):
    """The model cannot be served; the message is the reason that the endpoint shows."""


class ArchiveError(StartupError):
    """The model archive is damaged, not what was expected, or would write where it may not."""


class ScriptError(StartupError):
    """The inference script cannot be imported, lacks a function or has one too many."""


class LoadError(StartupError):
    """The script or its model cannot be loaded here: with these libraries nothing would serve it."""


class RequestError(Exception):
    """A request that is answered with an error: its HTTP status, the error's name and one sentence."""

    def __init__(self, status: int, error: str, message: str) -> None:
        """Answer with `status` and a JSON body of `error` (CamelCase) and `message`."""
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message

    def body(self) -> bytes:
        """Return the answer's body: `{"error": …, "message": …}` in UTF-8."""
        return json.dumps({"error": self.error, "message": self.message}, ensure_ascii=False).encode("utf-8", "replace")


class Interrupted(BaseException):
    """Raised inside a call that has had its time; no `except Exception` of a script keeps it."""


def last_line(error: BaseException) -> str:
    """Return the last line of the error's traceback: `ValueError: could not convert string to float: 'x'`.

    A message of several lines is joined into one, so that the reason stays whole.
    """
    return " ".join("".join(traceback.format_exception_only(error)).split())
