"""How a state begins and how it is left: the context object, variables, the choice of the next state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField

from modelwright.local.stepfunctions.expressions import expect, whole_number
from modelwright.local.stepfunctions.failures import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.stepfunctions.environment import LocalEnvironment

_DEFAULT_TAKEN: Final = "choice-default-taken"

_moto_eval_state_input = CommonStateField._eval_state_input  # noqa: SLF001  # called from the function in its place


BAKES = "Bake"
"""What the names of states begin with that give alarms and metrics of a deployment their time."""


def enter_state(self: Any, env: LocalEnvironment) -> None:
    """In place of `CommonStateField._eval_state_input`, which runs right after the state was entered."""
    state = env.states.context_object.context_object_data["State"]
    state["EnteredTime"] = env.runtime.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    state["RetryCount"] = 0
    env.entered_event_id = env.event_history_context.last_published_event_id
    env.pending_assignments = {}
    _moto_eval_state_input(self, env)
    env.attempt_stack = list(env.stack)


def eval_assign(self: Any, env: LocalEnvironment) -> None:
    """In place of `AssignDecl._eval_body`: Assign and Output see the variables as they were before the state.

    https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
    """
    declared: dict[str, Any] = {}
    for declaration in self.declaration_bindings:
        declaration.eval(env=env)
        declared.update(env.stack.pop())
    env.pending_assignments = declared


def leaving(leave: Callable[[Any, LocalEnvironment], None]) -> Callable[[Any, LocalEnvironment], None]:
    """Wrap a state class's `_eval_state_output`: what was assigned takes effect when the state is left."""

    def eval_state_output(self: Any, env: LocalEnvironment) -> None:
        leave(self, env)
        for name, value in env.pending_assignments.items():
            env.variable_store.set(variable_identifier=name, variable_value=value)
        env.pending_assignments = {}

    return eval_state_output


def eval_choice(self: Any, env: LocalEnvironment) -> None:
    """In place of `StateChoice._eval_state`: no rule and no default is States.NoChoiceMatched."""
    for rule in self.choices_decl.rules:
        rule.eval(env)
        if env.stack.pop() is True:
            env.stack.append(rule.next_stmt.name)
            return
    if self.default_state is None:
        raise failure(
            env,
            "States.NoChoiceMatched",
            f"No rule of the Choice state '{self.name}' matched, and it has no Default.",
            HistoryEventType.TaskFailed,
            "taskFailedEventDetails",
        )
    env.heap[_DEFAULT_TAKEN] = True
    env.stack.append(self.default_state.state_name)


def _leave_choice(self: Any, env: LocalEnvironment) -> None:
    """In place of `StateChoice._eval_state_output`: a rule that names the default's state is not the default."""
    next_state = env.stack.pop()
    if env.heap.pop(_DEFAULT_TAKEN, False):
        for component in (self.assign_decl, self.output):
            if component:
                component.eval(env=env)
    if self._is_language_query_jsonpath():
        if self.output_path:
            self.output_path.eval(env=env)
        else:
            env.states.reset(input_value=env.stack.pop())
    env.next_state_name = next_state


def eval_condition(self: Any, env: LocalEnvironment) -> None:
    """In place of `ConditionStringJSONata._eval_body`: only a boolean is a condition."""
    self.string_jsonata.eval(env=env)
    expect(env, self.string_jsonata, env.stack[-1], "boolean")


def eval_rule(self: Any, env: LocalEnvironment) -> None:
    """In place of `ChoiceRule._eval_body`: what the rule's Output leaves on the stack is not the comparison."""
    self.comparison.eval(env)
    if env.stack[-1] is not True:
        return
    for component in (self.assign, self.output):
        if component:
            component.eval(env=env)


def wait(self: Any, env: LocalEnvironment) -> None:
    """In place of `WaitFunction._eval_body`: on the local cloud's clock, and stopped at once.

    A deployment that bakes is a rehearsal here, as it is where SageMaker itself waits: docs/local.md.
    """
    seconds = self._get_wait_seconds(env=env)
    env.sleep(env.runtime.baked(seconds) if str(env.next_state_name).startswith(BAKES) else seconds)


def wait_seconds_jsonata(self: Any, env: LocalEnvironment) -> int:
    """In place of `SecondsJSONata._get_wait_seconds`: a whole number, as the language has it."""
    self.string_jsonata.eval(env=env)
    return whole_number(env, self.string_jsonata, env.stack.pop(), least=0)


def timeout_seconds_jsonata(self: Any, env: LocalEnvironment) -> int:
    """In place of `TimeoutSecondsJSONata._eval_seconds` and `HeartbeatSecondsJSONata._eval_seconds`."""
    self.string_jsonata.eval(env=env)
    return whole_number(env, self.string_jsonata, env.stack.pop(), least=1)


def wait_until(self: Any, env: LocalEnvironment) -> float:
    """In place of `Timestamp._get_wait_seconds`, which compares UTC with the machine's own time zone."""
    self.string.eval(env=env)
    text = env.stack.pop()
    moment = self._from_timestamp_string(timestamp=text) if isinstance(text, str) else None
    if moment is None:
        raise FailureEventException(self._create_failure_event(env, text))
    now = env.runtime.clock.now()
    seconds: float = (moment.replace(tzinfo=now.tzinfo) - now).total_seconds()
    return max(0.0, seconds)


def eval_fail(self: Any, env: LocalEnvironment) -> None:
    """In place of `StateFail._eval_state`: Error and Cause are strings; any error name may be given."""
    given: list[str | None] = []
    for component in (self.error, self.cause):
        if component is None:
            given.append(None)
            continue
        component.eval(env=env)
        value = env.stack.pop()
        expression = component.string_expression
        given.append(expect(env, expression, value, "string") if hasattr(expression, "field") else value)
    raise failure(env, given[0], given[1], HistoryEventType.TaskFailed, "taskFailedEventDetails")


leave_state = leaving(CommonStateField._eval_state_output)  # noqa: SLF001  # moto's own is called in it
leave_execution_state = leaving(ExecutionState._eval_state_output)  # noqa: SLF001  # as above
leave_choice = leaving(_leave_choice)
