"""Puts every replacement of `seams.py` in its place, once a process."""

from __future__ import annotations

import threading

from modelwright.local.stepfunctions.seams import SEAMS

_installed = False
_lock = threading.Lock()


def install() -> None:
    """Put every replacement in its place; the second call does nothing."""
    global _installed  # noqa: PLW0603  # moto's modules are global too: once a process
    with _lock:
        if _installed:
            return
        for seam in SEAMS:
            target = seam.target()
            if seam.name not in vars(target):
                raise ImportError(f"moto's {seam.module} has no {seam.owner or 'module'}.{seam.name} any more.")
            setattr(target, seam.name, seam.replacement)
        _installed = True
