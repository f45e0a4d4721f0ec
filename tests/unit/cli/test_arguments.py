"""What the arguments that several commands have take."""

from __future__ import annotations

import argparse
from datetime import timedelta

import pytest

from modelwright.cli.arguments import duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604_800), ("1000m", 60_000)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "0s", "-1h", "1.5h", "1y", "2 h", "99999999d", "१h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is none: 30s, 10m, 2h and 7d are"):
        duration(text)
