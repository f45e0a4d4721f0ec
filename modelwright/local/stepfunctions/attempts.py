"""One state that does work: its attempts, their timeouts, Retry and Catch."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any, Final

from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError

from modelwright.local.stepfunctions.environment import Interrupted
from modelwright.local.stepfunctions.failures import DATA_LIMIT, RUNTIME_ERROR, TASK_FAILED, TIMEOUT

if TYPE_CHECKING:
    from modelwright.local.stepfunctions.environment import LocalEnvironment

_OUTPUT_DONE: Final = CatchOutcome.NotCaught
"""moto leaves a state's output alone when one of these lies on the stack"""
_UNCATCHABLE: Final = (RUNTIME_ERROR, DATA_LIMIT)


def evaluate_attempt(self: Any, env: LocalEnvironment) -> None:
    """In place of `ExecutionState._evaluate_with_timeout`: one attempt, with everything that Retry and Catch cover.

    Output and Assign belong to it; moto evaluates Output after the last Catch.
    """
    env.pending_assignments = {}
    env.states._states_data.pop("errorOutput", None)  # noqa: SLF001  # of the attempt before
    output = _work(self, env)
    env.stack.append(output)
    if not self._is_language_query_jsonpath():
        env.states.set_result(output)
    if self.assign_decl:
        self.assign_decl.eval(env=env)
    if self.result_selector:
        self.result_selector.eval(env=env)
    self.result_path.eval(env)
    if self.output:
        self.output.eval(env=env)
        env.stack.append(_OUTPUT_DONE)


def _work(state: Any, env: LocalEnvironment) -> Any:
    """Do the state's work in a frame of its own; TimeoutError when it takes too long, Interrupted when stopped."""
    state.timeout.eval(env=env)
    seconds = env.stack.pop()
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.deepcopy(env.stack)
    attempt = _Attempt(state, frame)
    try:
        ended = attempt.run(None if state.timeout.is_default_value() else seconds)
    except Interrupted:
        frame.abandon()
        raise
    if not ended:
        frame.abandon()
        env.close_frame(frame)
        env.check_running()
        raise EvalTimeoutError
    frame.cleanups.clear()
    frame.set_ended()
    env.close_frame(frame)
    return attempt.output()


class _Attempt:
    """The work of a state, in a thread of its own: a call that hangs is left behind when it is stopped."""

    def __init__(self, state: Any, frame: LocalEnvironment) -> None:
        self._state = state
        self._frame = frame
        self._done = False
        self._error: BaseException | None = None

    def run(self, seconds: float | None) -> bool:
        """Wait for the end of the work; False when it did not end in time."""
        threading.Thread(target=self._execute, name=f"state-{self._state.name}", daemon=True).start()
        runtime, over = self._frame.runtime, self._frame.over
        began = runtime.clock.time()
        runtime.use_time(over)
        if seconds is None:
            over.wait()
        else:
            runtime.sleep(began + seconds - runtime.clock.time(), over)
        if not self._done:
            self._frame.check_running()
        return self._done

    def output(self) -> Any:
        """Give the work's output, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._frame.stack.pop()

    def _execute(self) -> None:
        try:
            self._state._eval_execution(self._frame)  # noqa: SLF001  # the state's own method
        except BaseException as error:  # noqa: BLE001  # raised again in the state's own thread
            self._error = error
        self._done = self._frame.is_running()
        self._frame.over.set()


def eval_retrier(self: Any, env: LocalEnvironment) -> None:
    """In place of `RetrierDecl._eval_body`: the pause is on the local cloud's clock and ends when stopped."""
    self.error_equals.eval(env)
    if not env.stack.pop():
        env.stack.append(RetrierOutcome.Skipped)
        return
    self.max_attempts.eval(env=env)
    if not env.stack.pop().value:
        env.stack.append(RetrierOutcome.Failed)
        return
    for component in (self.interval_seconds, self.backoff_rate, self.max_delay_seconds, self.jitter_strategy):
        component.eval(env=env)
    env.sleep(env.stack.pop())
    env.stack.append(RetrierOutcome.Executed)


def eval_error_equals(self: Any, env: LocalEnvironment) -> None:
    """In place of `ErrorEqualsDecl._eval_body`: which errors the two wildcards stand for.

    States.TaskFailed takes every error but States.Timeout, States.ALL every error; neither takes States.Runtime and
    States.DataLimitExceeded, which always end the execution unless named (the latter).
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    found = env.stack.pop().error_name
    names = {name.error_name for name in self.error_names}
    if found == RUNTIME_ERROR:
        env.stack.append(False)
    elif found in names:
        env.stack.append(True)
    elif found in _UNCATCHABLE:
        env.stack.append(False)
    else:
        env.stack.append("States.ALL" in names or (TASK_FAILED in names and found != TIMEOUT))


def handle_retry(self: Any, env: LocalEnvironment, failure_event: Any) -> RetryOutcome:
    """In place of `ExecutionState._handle_retry`: `State.RetryCount` counts the attempts again."""
    env.stack.append(failure_event.error_name)
    self.retry.eval(env)
    outcome = env.stack.pop()
    if outcome == RetryOutcome.CanRetry:
        state = env.states.context_object.context_object_data["State"]
        state["RetryCount"] += 1
        env.stack[:] = env.attempt_stack
    return outcome


def eval_state(self: Any, env: LocalEnvironment) -> None:
    """In place of `ExecutionState._eval_state`: the task's attempts until one succeeds or its failure is handled."""
    while True:
        try:
            self._evaluate_with_timeout(env)
        except Exception as error:  # noqa: BLE001  # every failure of the work is the state's
            if not _handled(self, env, self._from_error(env=env, ex=error)):
                continue
        return


def _handled(state: Any, env: LocalEnvironment, failure: Any) -> bool:
    """Record the failure; False: try again, True: caught. Raises when nothing takes it."""
    env.event_manager.add_event(env.event_history_context, failure.event_type, failure.event_details)
    failure.told = True
    env.pending_assignments = {}
    env.states.set_error_output(state._construct_error_output_value(failure))  # noqa: SLF001  # the state's own method
    if state.retry and state._handle_retry(env=env, failure_event=failure) == RetryOutcome.CanRetry:  # noqa: SLF001
        return False
    if state.catch:
        state._handle_catch(env=env, failure_event=failure)  # noqa: SLF001  # as above
        if env.stack[-1] == CatchOutcome.Caught:
            return True
    state._handle_uncaught(env=env, failure_event=failure)  # noqa: SLF001  # as above
    return True
