"""The execution's history: numbered, timed by the local cloud's clock, handed on as it happens, limited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut

from modelwright.local.stepfunctions.environment import Interrupted

if TYPE_CHECKING:
    from datetime import datetime

    from modelwright.local.stepfunctions.environment import LocalEnvironment

MAX_EVENTS: Final = 25_000
"""the ExecutionFailed event is number 25,000: https://docs.aws.amazon.com/step-functions/latest/dg/bp-history-limit.html"""
FULL: Final = {
    "error": "States.Runtime",
    "cause": f"The execution reached the maximum number of history events ({MAX_EVENTS}).",
}
_ENDS: Final = frozenset(
    {
        HistoryEventType.ExecutionAborted,
        HistoryEventType.ExecutionFailed,
        HistoryEventType.ExecutionSucceeded,
        HistoryEventType.ExecutionTimedOut,
    }
)


class History(EventManager):  # type: ignore[misc]  # moto carries no types
    """Hands each event to the runtime instead of keeping them all; refuses events of what was stopped."""

    def __init__(self, env: LocalEnvironment) -> None:
        super().__init__()
        self._env = env

    def add_event(
        self,
        context: EventHistoryContext,
        event_type: HistoryEventType,
        event_details: Any = None,
        timestamp: datetime | None = None,
        update_source_event_id: bool = True,  # noqa: FBT001, FBT002  # moto's signature
    ) -> int:
        """Record one event and give its number."""
        with self._mutex:
            self._check(event_type)
            event_id: int = self._event_id_gen.get()
            event = {
                **(event_details or {}),
                "id": event_id,
                "previousEventId": context.source_event_id,
                "type": str(event_type.value),
                "timestamp": timestamp or self._env.runtime.clock.now(),
            }
            context.last_published_event_id = event_id
            if update_source_event_id:
                context.source_event_id = event_id
            self._env.runtime.publish(event)
            return event_id

    def _check(self, event_type: HistoryEventType) -> None:
        if event_type in _ENDS:
            return
        if isinstance(self._env._program_state, (ProgramStopped, ProgramTimedOut)):  # noqa: SLF001  # moto's copy is deep
            raise Interrupted
        if self._event_id_gen._next_id >= MAX_EVENTS:  # noqa: SLF001  # moto keeps the count there
            self._env.set_error(FULL)
            raise Interrupted
