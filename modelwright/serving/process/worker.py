"""One of several processes that serve: what it shares with the others, and how it begins and ends."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.serving.problems import StartupError
from modelwright.serving.process.forks import end_children

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.serving.process.counters import WorkerCounters

LONGEST_REASON = 600
"""characters: a line in a pipe is one piece up to 4,096 bytes"""


@dataclass(frozen=True)
class Share:
    """What one worker shares with the others."""

    counters: WorkerCounters
    lifeline: int
    """a pipe that is at its end when the process that watches is gone: then there is no use in serving on"""


def become(work: Callable[[], int], telling: int) -> None:
    """Do the work of a worker, and end: nothing of the process that forked it is unwound here."""
    code = 1
    try:
        code = work()
        end_children()
    except StartupError as error:
        tell_watcher(telling, {"reason": str(error)[:LONGEST_REASON]})
    except BaseException:  # noqa: BLE001  # it is the process's last word
        traceback.print_exc()
    finally:
        flush()
        os._exit(code)


def flush() -> None:
    """Write what is in the buffers."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it
            stream.flush()


def tell_watcher(telling: int, message: Mapping[str, Any]) -> None:
    """Tell the process that watches, in one line, whether this one serves; nothing more is told."""
    os.write(telling, f"{json.dumps(message)}\n".encode())
    os.close(telling)
