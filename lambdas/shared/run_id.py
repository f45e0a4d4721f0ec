"""The name of a run."""

from __future__ import annotations

import hashlib


def run_id(execution_arn: str) -> str:
    """The run's name: the first 12 hex digits of the execution's hash."""
    return hashlib.sha256(execution_arn.encode()).hexdigest()[:12]
