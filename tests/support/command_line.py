"""The command line as tests call it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
Say = Callable[..., tuple[int, str, str]]
"""Runs a command: its exit code, and what it wrote on standard output and standard error."""
