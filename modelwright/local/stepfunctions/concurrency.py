"""Map and Parallel: threads that stop together, at most 40 iterations at a time, errors with their own names."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

from modelwright.local.stepfunctions.environment import Interrupted
from modelwright.local.stepfunctions.failures import ending, wrapped
from modelwright.local.stepfunctions.program import add_evaluation_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.stepfunctions.environment import LocalEnvironment

MAX_INLINE_CONCURRENCY: Final = 40
"""https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html"""


class _Together:
    """Pieces of work that end together: the first failure stops the others."""

    def __init__(self, env: LocalEnvironment, pieces: int) -> None:
        self.outputs: list[Any] = [None] * pieces
        self.error: Any = None
        self._env = env
        self._next = 0
        self._frames: set[LocalEnvironment] = set()
        self._lock = threading.Lock()

    def run(self, workers: int, piece: Callable[[int, LocalEnvironment], None]) -> None:
        """Call `piece(number, frame)` for each number; raise Interrupted when stopped meanwhile."""
        threads = [threading.Thread(target=self._worker, args=(piece,), daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._env.check_running()

    def fail(self, error: Any) -> None:
        """Keep the first error and stop the other pieces."""
        with self._lock:
            if self.error is not None:
                return
            self.error = error
            frames = list(self._frames)
        for frame in frames:
            frame.abandon()

    def _worker(self, piece: Callable[[int, LocalEnvironment], None]) -> None:
        while (taken := self._take()) is not None:
            number, frame = taken
            try:
                piece(number, frame)
            except Interrupted:
                frame.run_cleanups()
            finally:
                with self._lock:
                    self._frames.discard(frame)
                    self._env.close_frame(frame)

    def _take(self) -> tuple[int, LocalEnvironment] | None:
        with self._lock:
            if self.error is not None or self._next >= len(self.outputs) or not self._env.is_running():
                return None
            number = self._next
            self._next += 1
            context = EventHistoryContext(previous_event_id=self._env.event_history_context.source_event_id)
            frame = self._env.open_inner_frame(context)
            self._frames.add(frame)
            return number, frame


def run_iterations(self: Any, env: LocalEnvironment) -> None:
    """In place of `InlineIterationComponent._eval_body`.

    moto starts a thread for each item, waits for ever when one is stopped, and renames an error that begins with
    `States.`.
    """
    given = env.stack.pop()
    state_input = env.stack[-1] if env.stack else env.states.get_input()
    start = EventHistoryContext(previous_event_id=env.event_history_context.source_event_id)
    together = _Together(env, len(given.input_items))
    iteration = _Iteration(self._get_iteration_program(), given, state_input, together, start.source_event_id)
    limit = min(given.max_concurrency or MAX_INLINE_CONCURRENCY, MAX_INLINE_CONCURRENCY, len(given.input_items))
    together.run(limit, iteration)
    if together.error is not None:
        raise _failed(env, together.error, HistoryEventType.MapIterationFailed)
    env.stack.append(together.outputs)


class _Iteration:
    """One iteration of a Map."""

    def __init__(self, program: Any, given: Any, state_input: Any, together: _Together, started: int) -> None:
        self._program = program
        self._given = given
        self._state_input = state_input
        self._together = together
        self._started = started

    def __call__(self, number: int, frame: LocalEnvironment) -> None:
        frame.event_history_context.source_event_id = self._started
        self._tell(frame, number, "Started")
        try:
            self._prepare(number, frame)
        except FailureEventException as error:
            add_evaluation_failure(frame, error)
            frame.set_error(ending(error))
        else:
            self._program.eval(frame)
        state = frame._program_state  # noqa: SLF001  # moto's accessor copies it
        if isinstance(state, ProgramEnded):
            self._together.outputs[number] = frame.states.get_input()
            self._tell(frame, number, "Succeeded")
        elif isinstance(state, ProgramError):
            self._tell(frame, number, "Failed")
            self._together.fail(state.error)
        else:
            self._tell(frame, number, "Aborted")

    def _prepare(self, number: int, frame: LocalEnvironment) -> None:
        item = self._given.input_items[number]
        frame.states.context_object.context_object_data["Map"] = {"Item": {"Index": number, "Value": item}}
        selector = self._given.item_selector or self._given.parameters
        if selector is None:
            frame.states.reset(input_value=item)
            return
        frame.states.reset(input_value=self._state_input)
        frame.stack.append(self._state_input)
        selector.eval(frame)
        frame.states.reset(input_value=frame.stack.pop())
        frame.stack.clear()

    def _tell(self, frame: LocalEnvironment, number: int, what: str) -> None:
        details: Any = {f"mapIteration{what}EventDetails": {"name": self._given.state_name, "index": number}}
        event = HistoryEventType[f"MapIteration{what}"]
        frame.event_manager.add_event(
            frame.event_history_context, event, EventDetails(**details), update_source_event_id=what == "Started"
        )


def run_branches(self: Any, env: LocalEnvironment) -> None:
    """In place of `BranchesDecl._eval_body`, which takes branches that were stopped for branches that succeeded."""
    branch_input = env.stack.pop()
    together = _Together(env, len(self.programs))

    def branch(number: int, frame: LocalEnvironment) -> None:
        frame.states.reset(input_value=branch_input)
        self.programs[number].eval(frame)
        state = frame._program_state  # noqa: SLF001  # moto's accessor copies it
        if isinstance(state, ProgramEnded):
            together.outputs[number] = frame.states.get_input()
        elif isinstance(state, ProgramError):
            together.fail(state.error)

    together.run(len(self.programs), branch)
    if together.error is not None:
        raise _failed(env, together.error, HistoryEventType.ExecutionFailed)
    env.stack.append(together.outputs)


def _failed(env: LocalEnvironment, error: Any, event: HistoryEventType) -> Any:
    return wrapped(env, error.get("error"), event, "executionFailedEventDetails", error)
