"""Whose fault an error of a script's function is: the caller's (4xx) or the model's (500)."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from modelwright.serving.problems import RequestError, last_line

if TYPE_CHECKING:
    from modelwright.serving.scripts.script import Function

SCRIPT_FAULTS = (NameError, ImportError, OSError, MemoryError, RuntimeError, AssertionError)
"""Errors of `input_fn` that no body of a caller explains: 500. All others: 400, and so is a RecursionError: a body that
is nested too deeply."""
UNSUPPORTED_WORDS = ("support", "content type", "content-type", "media type", "mime", "accept")


def as_request_error(function: Function, error: BaseException, types: tuple[str, ...] = ()) -> RequestError:
    """Decide whose fault an error of a script's function is, and with it the status.

    - An exception with an integer attribute `status` chooses for itself.
    - One that names the media type that it was handed, and says that it is not supported, as AWS's sample scripts do:
      415 for the type of the body, 406 for the accepted one.
    - Any error of `input_fn`, which sees nothing but the body: 400, unless it is of the kinds that no body explains.
    - A ValueError that the script itself raises anywhere (`raise ValueError("the column x is missing")`): 400.
    - All others: 500, with the traceback in the log.
    """
    status = getattr(error, "status", None)
    if isinstance(status, int) and 400 <= status <= 599:
        return RequestError(status, type(error).__name__, str(error) or last_line(error))
    text = str(error)
    named = [place for place, media_type in enumerate(types) if media_type in text]
    if named and any(word in text.lower() for word in UNSUPPORTED_WORDS):
        is_body = function.name == "input_fn" or (function.name == "transform_fn" and named[0] == 0)
        return RequestError(*((415, "UnsupportedMediaType") if is_body else (406, "NotAcceptable")), text)
    by_script = isinstance(error, SCRIPT_FAULTS) and not isinstance(error, RecursionError)
    of_body = function.name == "input_fn" and isinstance(error, Exception) and not by_script
    if of_body or (isinstance(error, ValueError) and _raised_in(function, error)):
        return RequestError(400, "BadRequest", f"{function.name}: {last_line(error)}")
    return failed(function.name, error)


def _raised_in(function: Function, error: BaseException) -> bool:
    """Say whether the script's own file raised it, and not a library that it called."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(function.call, "__code__", None)
    return bool(frames) and code is not None and frames[-1].filename == code.co_filename


def failed(name: str, error: BaseException) -> RequestError:
    """Return a 500; the traceback goes into the log."""
    traceback.print_exception(error)
    return RequestError(500, "ModelError", f"{name}: {last_line(error)}")
