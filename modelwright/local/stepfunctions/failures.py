"""Errors of a state as the interpreter carries them: named as Step Functions names them, with its wording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

if TYPE_CHECKING:
    from modelwright.local.stepfunctions.environment import LocalEnvironment

QUERY_ERROR: Final = "States.QueryEvaluationError"
RUNTIME_ERROR: Final = "States.Runtime"
TIMEOUT: Final = "States.Timeout"
TASK_FAILED: Final = "States.TaskFailed"
DATA_LIMIT: Final = "States.DataLimitExceeded"
_DECORATED: Final = "An error occurred while executing the state "


class NamedError(ErrorName):  # type: ignore[misc]  # moto carries no types
    """Any error name.

    moto's own class refuses names that begin with `States.`, but the error of a branch or an iteration may have one.
    """


def failure(env: LocalEnvironment, error: str | None, cause: str | None, event: HistoryEventType, kind: str) -> Any:
    """Make the exception with which a state fails; `kind` is the member of the history event (`taskFailed…`)."""
    details: dict[str, Any] = {}
    if error is not None:
        details["error"] = error
    if cause is not None:
        details["cause"] = cause
    return wrapped(env, error, event, kind, details)


def wrapped(env: LocalEnvironment, error: str | None, event: HistoryEventType, kind: str, details: Any) -> Any:
    """Make the exception with which a state fails, from the history event's details."""
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=NamedError(error),
            event_type=event,
            event_details=EventDetails(**{kind: details}),
        )
    )


def query_failure(env: LocalEnvironment, field: str, problem: str) -> Any:
    """Make the failure of a query: an EvaluationFailed event, error States.QueryEvaluationError."""
    state = env.next_state_name
    details = {"error": QUERY_ERROR, "cause": decorated(env, problem), "location": field, "state": state}
    return wrapped(env, QUERY_ERROR, HistoryEventType.EvaluationFailed, "evaluationFailedEventDetails", details)


def runtime_failure(env: LocalEnvironment, problem: str) -> Any:
    """Make a failure that no Retry and no Catch takes: States.Runtime."""
    return failure(env, RUNTIME_ERROR, decorated(env, problem), HistoryEventType.TaskFailed, "taskFailedEventDetails")


def decorated(env: LocalEnvironment, problem: str) -> str:
    """Say in which state it happened, as Step Functions does."""
    return f"{_DECORATED}'{env.next_state_name}' (entered at the event id #{env.entered_event_id}). {problem}"


def evaluation_details(self: Any) -> Any:
    """In place of `FailureEventException.get_evaluation_failed_event_details`: they are complete already."""
    self.failure_event.told = True
    return dict(self.failure_event.event_details["evaluationFailedEventDetails"])


def ending(error: Any) -> dict[str, str]:
    """Give error and cause with which the execution fails, from the exception that nothing caught."""
    name, cause = error.extract_error_cause_pair() or (None, None)
    return {key: value for key, value in (("error", name), ("cause", cause)) if value}


def type_name(value: Any) -> str:
    """Give JSON's name of a value's type."""
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")
