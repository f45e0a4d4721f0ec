"""An execution as it goes: a line for each state that is over, and on a terminal the running one below."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from modelwright.cli.render import seconds, state_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from modelwright.cli.terminal import Terminal
    from modelwright.client.runs.history import History, StateRun

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME_SECONDS = 0.1
_UNSEEN = frozenset({"Choice", "Pass", "Succeed", "Wait"})
"""What only steers: shown while it runs, and when it failed, not when it is over"""


class Live:
    """Follows an execution on a terminal; its `pause` is the one that `executions.watch` is to use."""

    def __init__(
        self,
        terminal: Terminal,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        *,
        beside: Callable[[], str] | None = None,
    ) -> None:
        self._terminal, self._now, self._sleep = terminal, now, sleep
        self._beside = beside
        self._running: list[StateRun] = []
        self._told: set[str] = set()
        self._frame = 0

    def __call__(self, history: History, ended: list[StateRun]) -> None:
        """Show what changed."""
        for state in ended:
            if self._is_worth_a_line(state):
                self._terminal.line(state_line(state, self._terminal))
        self._running = history.running
        if not self._running:
            self._terminal.clear()
        self._terminal.flush()

    def pause(self, duration: float) -> None:
        """Wait; on a terminal the running state's line moves meanwhile."""
        if not self._terminal.is_live:
            self._sleep(duration)
            return
        while duration > 0:
            self._draw()
            self._sleep(min(duration, _FRAME_SECONDS))
            duration -= _FRAME_SECONDS

    def clear(self) -> None:
        """Leave nothing that is not a whole line."""
        self._terminal.clear()
        self._terminal.flush()

    def _is_worth_a_line(self, state: StateRun) -> bool:
        """A state that is asked again and again, as whether the endpoint is ready, has one line."""
        if state.kind == "Fail":
            return False  # the run's outcome follows, and says the same
        if state.error or state.status in {"failed", "stopped"}:
            return True
        seen = state.name in self._told
        self._told.add(state.name)
        return state.kind not in _UNSEEN and not seen

    def _draw(self) -> None:
        if not self._running:
            return
        self._frame += 1
        spinner = _SPINNER[self._frame % len(_SPINNER)]
        shown = [
            f"{state.name} {seconds((self._now() - state.entered).total_seconds(), whole=True)}"
            for state in self._running
        ]
        beside = f" · {self._beside()}" if self._beside is not None else ""
        self._terminal.draw(f"  {spinner} {', '.join(shown)}{beside}", "36")
