"""One JSON line a log entry: a constant message with fields, never a whole event."""

from __future__ import annotations

import json
import sys


def log(message: str, **fields: object) -> None:
    """Write one entry to the function's log."""
    sys.stdout.write(json.dumps({"message": message, **fields}, default=str) + "\n")
    sys.stdout.flush()
