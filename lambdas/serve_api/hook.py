"""The pipeline's own preprocessing: `preprocess(rows: list[dict]) -> list[dict]` of one file of its release.

The file runs in this function, with the standard library and boto3 beside it, and nothing of its folder.
"""

from __future__ import annotations

import traceback
import types
from typing import TYPE_CHECKING, Any

from serve_api.refusal import Refusal
from shared.log import log

if TYPE_CHECKING:
    from collections.abc import Callable

    Hook = Callable[[list[dict[str, Any]]], Any]

FUNCTION = "preprocess"
_MOST_TRACE = 4000


def load(name: str, source: bytes) -> Hook:
    """Run the file and return its function; `Refusal` (500) when it has none or breaks while it is read."""
    module = types.ModuleType("modelwright_hook")
    module.__file__ = name
    try:
        exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - code of the champion's own release
    except (Exception, SystemExit) as error:
        raise _broken(name, "cannot be loaded", error) from error
    found = getattr(module, FUNCTION, None)
    if not callable(found):
        message = f"The hook {name} has no function {FUNCTION}(rows)."
        raise Refusal(500, "HookFailed", message)
    hook: Hook = found
    return hook


def apply(name: str, hook: Hook, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the hook makes of the rows: as many, each an object.

    A `ValueError` is the hook's word that the rows are wrong (400); every other error is its own (500).
    """
    try:
        found = hook([dict(row) for row in rows])
    except ValueError as error:
        raise Refusal(400, "RefusedByTheHook", f"The rows cannot be prepared: {error}") from error
    except (Exception, SystemExit) as error:
        raise _broken(name, "failed", error) from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        message = f"The hook {name} returned {type(found).__name__}; {FUNCTION} must return a list of dicts."
        raise Refusal(500, "HookFailed", message)
    if len(found) != len(rows):
        message = f"The hook {name} made {len(found)} rows of {len(rows)}; each row must stay one."
        raise Refusal(500, "HookFailed", message)
    return found


def _broken(name: str, what: str, error: BaseException) -> Refusal:
    log("hook failed", hook=name, traceback="".join(traceback.format_exception(error))[-_MOST_TRACE:])
    return Refusal(500, "HookFailed", f"The hook {name} {what}; the log of the API's function says why.")
