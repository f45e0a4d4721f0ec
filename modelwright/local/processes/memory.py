"""How much memory a process has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds, with what its children have beside it; 0 when it is not there."""
    if not Path("/proc/self").exists():
        return _by_ps(pid)
    found = _resident(pid)
    return found + sum(_private_bytes(child) for child in _children(pid)) if found else 0


def more_than(pid: int, limit_bytes: int) -> int:
    """Return what `resident_bytes` does if that is more than the limit, else 0: cheaply, as it is asked often.

    What children share with their parent is looked at only when it matters: that takes milliseconds.
    """
    if Path("/proc/self").exists() and sum(_resident(each) for each in (pid, *_children(pid))) <= limit_bytes:
        return 0
    found = resident_bytes(pid)
    return found if found > limit_bytes else 0


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(each) for each in text.split()]


def _private_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


def _by_ps(pid: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return int(found.stdout.strip() or 0) * 1024
