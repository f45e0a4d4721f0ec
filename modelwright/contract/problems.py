"""The one error of this package."""

from __future__ import annotations


class ContractError(ValueError):
    """A request that SageMaker's container contract cannot carry; its text says what and where."""
