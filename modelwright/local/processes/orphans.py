"""Processes that a daemon left behind: ended at the next start, when they are provably its own.

A process is the one that was recorded when machine boot, pid and start time are the same: the system never gives the
three to two processes. A record that does not match is forgotten, and nothing is signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.store.database import Database

KIND = "process"
"""the database's kind for these records; the key is the pid"""


def record(database: Database, pid: int, what: str) -> None:
    """Write down that this process is ours; `what` is for people."""
    database.put(KIND, str(pid), {"pid": pid, "what": what, **identity(pid)})


def forget(database: Database, pid: int) -> None:
    """Take the record away: the process has ended."""
    database.delete(KIND, str(pid))


def end_orphans(database: Database) -> list[str]:
    """Kill each recorded process that still runs, with its process group; returns what they were. Empties the records.

    Call it once, before the first process of this daemon is started, by the owner of the directory's lock.
    """
    ended: list[str] = []
    for key, found in database.all(KIND):
        if _is_still(found):
            _kill(int(found["pid"]))
            ended.append(f"{found['what']} (pid {found['pid']})")
        database.delete(KIND, key)
    return ended


def identity(pid: int) -> dict[str, Any]:
    """Return what makes a running process itself and no other: the boot, and when it began."""
    return {"boot": _boot(), "began": began(pid)}


def began(pid: int) -> str | None:
    """Return when a process began, in the system's own words; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _began_by_ps(pid) if not Path("/proc/self").exists() else None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if fields[0] in {"Z", "X"} else fields[19]


def _is_still(found: dict[str, Any]) -> bool:
    began_then = found.get("began")
    return bool(began_then) and identity(int(found["pid"])) == {"boot": found.get("boot"), "began": began_then}


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        leads = os.getpgid(pid) == pid
        (os.killpg if leads else os.kill)(pid, signal.SIGKILL)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _run("sysctl", "-n", "kern.bootsessionuuid")


def _began_by_ps(pid: int) -> str | None:
    return _run("ps", "-o", "lstart=", "-p", str(pid)) or None


def _run(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
