"""How much memory a run takes: the proportional set size of all of its processes, sampled while it runs (Linux)."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from .project import run_penguins


def peak_of_run(project: Path) -> float:
    """MiB at the highest."""
    ended, peak = threading.Event(), [0.0]

    def sample() -> None:
        while not ended.wait(0.02):
            peak[0] = max(peak[0], used(str(project)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        run_penguins(project)
    finally:
        ended.set()
        thread.join()
    return peak[0]


def processor_seconds(project: str) -> float:
    """Seconds that all processes that work for a folder have computed so far, with those that they waited for."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if project.encode() in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                ticks += sum(map(int, (folder / "stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue  # it ended meanwhile
    return ticks / os.sysconf("SC_CLK_TCK")


def used(project: str) -> float:
    """MiB of all processes that work for a folder, what they share counted once."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if project.encode() not in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended meanwhile
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024
