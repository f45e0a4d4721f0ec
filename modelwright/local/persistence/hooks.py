"""Which of moto's services are kept, and what happens around their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.service import Call

_READS = ("Get", "List", "Head", "Describe", "BatchGet", "TransactGet", "Query", "Scan", "Select")


class Keeper(Protocol):
    """Keeps one service's data."""

    writes: frozenset[str]
    """operations after which `after` is called"""
    configuration: frozenset[str]
    """operations that change what the template makes again at each start: they are not kept"""

    def check(self, call: Call) -> None:
        """Raise AwsError for a request that moto would take and not do."""

    def after(self, call: Call) -> None:
        """Write down what the call changed (it succeeded, and is not answered yet)."""

    def finished(self) -> None:
        """Do what has to follow the call, now that others may call the service again."""


class Hooks:
    """Calls the keeper of a service around moto's work."""

    def __init__(self, keepers: Mapping[str, Keeper]) -> None:
        self._keepers = keepers

    def refuse_what_is_not_kept(self, call: Call) -> None:
        """A write that no keeper knows would be lost at the next start without a word: it is refused."""
        keeper = self._keepers.get(call.service)
        if keeper is None:
            return
        keeper.check(call)
        known = call.operation in keeper.writes or call.operation in keeper.configuration
        if not known and not call.operation.startswith(_READS):
            raise AwsError(
                "NotImplemented",
                f"the local cloud does not keep what {call.service}:{call.operation} changes, so it refuses it",
                501,
            )

    def after(self, call: Call) -> None:
        """Write down what a successful call changed."""
        keeper = self._keepers.get(call.service)
        if keeper is not None and call.operation in keeper.writes:
            keeper.after(call)

    def finished(self, call: Call) -> None:
        """Do what has to follow a call."""
        keeper = self._keepers.get(call.service)
        if keeper is not None:
            keeper.finished()
