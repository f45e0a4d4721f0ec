"""The interpreter's state: moto's `Environment`, which can be interrupted at once and knows its runtime."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramRunning

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
    from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

    from modelwright.local.stepfunctions.runtime import Runtime


class Interrupted(BaseException):
    """The execution, or this part of it, was stopped.

    A BaseException: moto's states take every Exception for a failure of the state.
    """


class LocalEnvironment(Environment):  # type: ignore[misc]  # moto carries no types
    """One execution, or one frame of it (a task's attempt, a branch, an iteration).

    `over` is set as soon as it no longer runs, and stays set: moto's own event is set and cleared in one go, so
    whoever begins to wait a moment later misses it.
    """

    runtime: Runtime

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.over = threading.Event()
        self.pending_assignments: dict[str, Any] = {}
        self.cleanups: list[Callable[[], None]] = []
        self.entered_event_id = 0
        self.attempt_stack: list[Any] = []

    @classmethod
    def as_frame_of(cls, env: LocalEnvironment, event_history_frame_cache: EventHistoryContext | None = None) -> Any:
        """Make a frame that shares the variables (moto's names its own class here)."""
        return cls.as_inner_frame_of(env, env.variable_store, event_history_frame_cache)

    @classmethod
    def as_inner_frame_of(
        cls,
        env: LocalEnvironment,
        variable_store: VariableStore,
        event_history_frame_cache: EventHistoryContext | None = None,
    ) -> Any:
        """Make a frame with variables of its own."""
        frame = super().as_inner_frame_of(env, variable_store, event_history_frame_cache)
        frame.runtime = env.runtime
        frame.entered_event_id = env.entered_event_id
        if frame._program_state is not None and not frame.is_running():  # noqa: SLF001  # moto has no other name for it
            frame.over.set()
        return frame

    @property
    def next_state_name(self) -> str | None:
        """The state that runs; None when none does."""
        return Environment.next_state_name.fget(self)  # type: ignore[no-any-return]

    @next_state_name.setter
    def next_state_name(self, name: str) -> None:
        if self._program_state is not None and not self.is_running():
            raise Interrupted
        Environment.next_state_name.fset(self, name)

    @property
    def next_field_name(self) -> str | None:
        """The field that is evaluated, for messages."""
        return Environment.next_field_name.fget(self)  # type: ignore[no-any-return]

    @next_field_name.setter
    def next_field_name(self, name: str) -> None:
        state = self._program_state
        if isinstance(state, ProgramRunning):
            state.next_field_name = name

    def sleep(self, seconds: float) -> None:
        """Wait on the local cloud's clock; Interrupted when this is stopped meanwhile."""
        if self.runtime.sleep(seconds, self.over):
            raise Interrupted

    def check_running(self) -> None:
        """Raise Interrupted when this was stopped."""
        if not self.is_running():
            raise Interrupted

    def set_ended(self) -> None:
        """End well."""
        super().set_ended()
        self.over.set()

    def set_error(self, error: Any) -> None:
        """End with an error; what was stopped before stays stopped."""
        with self._state_mutex:
            if self._program_state is None or self.is_running():
                super().set_error(error)
        self.over.set()

    def set_timed_out(self) -> None:
        """End because the time is up; what ended before stays as it ended."""
        with self._state_mutex:
            if self.is_running():
                super().set_timed_out()
        self.over.set()

    def set_stop(self, stop_date: datetime, cause: str | None, error: str | None) -> None:
        """Stop this and all that it consists of."""
        super().set_stop(stop_date, cause, error)
        self.over.set()

    def abandon(self) -> None:
        """Stop a frame whose result is no longer wanted, and undo what it began (a job that it waits for)."""
        self.set_stop(self.runtime.clock.now(), None, None)
        self.run_cleanups()

    def run_cleanups(self) -> None:
        """Undo what this and the frames in it began, each once."""
        with self._state_mutex:
            frames, cleanups = list(self._frames), self.cleanups
            self.cleanups = []
        for frame in frames:
            frame.run_cleanups()
        for cleanup in cleanups:
            cleanup()
