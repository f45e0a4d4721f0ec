"""How a program runs: in the caller's thread, stopped at once, timed out by the local cloud's clock."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from modelwright.local.stepfunctions.environment import Interrupted
from modelwright.local.stepfunctions.failures import RUNTIME_ERROR, ending

if TYPE_CHECKING:
    from modelwright.local.stepfunctions.environment import LocalEnvironment

log = logging.getLogger(__name__)


def eval_component(self: Any, env: LocalEnvironment) -> None:
    """In place of `EvalComponent.eval`, which prints whole components on each failure and goes on when stopped."""
    env.check_running()
    name = self._field_name()
    if name is not None:
        env.next_field_name = name
    self._eval_body(env)


def eval_program(self: Any, env: LocalEnvironment) -> None:
    """In place of `Program.eval`, which starts a thread for each program only to be able to time it out."""
    env.next_state_name = self.start_at.start_at_name
    if self.timeout_seconds is not None:
        seconds = self.timeout_seconds.timeout_seconds
        threading.Thread(target=_time_out, args=(env, seconds), name="states-timeout", daemon=True).start()
    try:
        _run_states(self, env)
    except Interrupted:
        env.run_cleanups()
    except FailureEventException as error:
        add_evaluation_failure(env, error)
        env.set_error(ending(error))
    except Exception as error:  # a slip of the interpreter ends the execution, it must not end the thread silently
        log.exception("The interpreter failed in state %s", env.next_state_name)
        env.set_error({"error": RUNTIME_ERROR, "cause": f"{type(error).__name__}: {error}"})
    if not env.is_frame():
        add_end_event(env)


def _run_states(program: Any, env: LocalEnvironment) -> None:
    while env.is_running():
        program._get_state(env.next_state_name).eval(env)  # noqa: SLF001  # this is the program's own method
        env.stack.clear()
        env.heap.clear()
        env.cleanups.clear()


def _time_out(env: LocalEnvironment, seconds: float) -> None:
    if not env.runtime.sleep(seconds, env.over):
        env.set_timed_out()


def add_evaluation_failure(env: LocalEnvironment, error: Any) -> None:
    """A query that fails in a state without Retry and Catch has not been told to the history yet."""
    event = error.failure_event
    if event.event_type == HistoryEventType.EvaluationFailed and not getattr(event, "told", False):
        try:
            env.event_manager.add_event(env.event_history_context, event.event_type, event.event_details)
        except Interrupted:
            return
        event.told = True


def add_end_event(env: LocalEnvironment) -> None:
    """Record how the execution ended."""
    state = env._program_state  # noqa: SLF001  # moto's accessor copies it
    context = env.event_history_context
    if isinstance(state, ProgramEnded):
        output = to_json_str(env.states.get_input(), separators=(",", ":"))
        details = EventDetails(executionSucceededEventDetails={"output": output, "outputDetails": {"truncated": False}})
        env.event_manager.add_event(context, HistoryEventType.ExecutionSucceeded, details)
    elif isinstance(state, ProgramError):
        details = EventDetails(executionFailedEventDetails=dict(state.error or {}))
        env.event_manager.add_event(context, HistoryEventType.ExecutionFailed, details)
    elif isinstance(state, ProgramStopped):
        context.source_event_id = 0  # as AWS records it
        reason = {key: value for key, value in (("error", state.error), ("cause", state.cause)) if value is not None}
        details = EventDetails(executionAbortedEventDetails=reason)
        env.event_manager.add_event(context, HistoryEventType.ExecutionAborted, details)
    elif isinstance(state, ProgramTimedOut):
        details = EventDetails(executionTimedOutEventDetails={})
        env.event_manager.add_event(context, HistoryEventType.ExecutionTimedOut, details)
