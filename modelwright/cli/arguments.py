"""Types of arguments that several commands have."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def duration(text: str) -> timedelta:
    """So many seconds, minutes, hours or days: `10m`; ten years at most."""
    found = re.fullmatch(r"([0-9]{1,8})([smhd])", text)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < length <= timedelta(days=3650):
        raise argparse.ArgumentTypeError(f"{text!r} is none: 30s, 10m, 2h and 7d are")
    return length
