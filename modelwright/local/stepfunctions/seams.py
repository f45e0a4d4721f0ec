"""Where moto's interpreter is put right: each name of moto's, what stands in its place, and why.

`docs/adr/0005-the-interpreter.md` says why moto's interpreter and not one of our own. A test fails when one of these
names is gone from moto, or is no longer what the interpreter calls.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Final

from modelwright.local.stepfunctions import (
    attempts,
    clients,
    concurrency,
    copies,
    expressions,
    failures,
    literals,
    paths,
    program,
    task_services,
    tasks,
    transitions,
)

_ASL: Final = "moto.stepfunctions.parser.asl"
_COMPONENT: Final = f"{_ASL}.component"
_PREPROCESSOR: Final = f"{_ASL}.parse.preprocessor"
_STRINGS: Final = f"{_COMPONENT}.common.string.string_expression"
_STATE: Final = f"{_COMPONENT}.state"
_STATE_FIELDS: Final = f"{_STATE}.state"
_EXECUTION: Final = f"{_STATE}.exec.execute_state"
_CHOICE: Final = f"{_STATE}.choice.state_choice"
_TASK: Final = f"{_STATE}.exec.state_task"
_SERVICES: Final = f"{_TASK}.service"


@dataclass(frozen=True)
class Seam:
    """One name in moto and what stands in its place. `owner` is a class in the module; empty for the module itself."""

    module: str
    owner: str
    name: str
    replacement: Any

    def target(self) -> Any:
        """Import what holds the name."""
        module = importlib.import_module(self.module)
        return getattr(module, self.owner) if self.owner else module


_EXPRESSIONS: Final = (
    # moto has no JSONata at all (its bridge to a JVM was taken out), and pastes variables as text, unescaped
    Seam(_STRINGS, "StringJSONata", "_eval_body", expressions.eval_string_jsonata),
    Seam(_STRINGS, "StringVariableSample", "_eval_body", expressions.eval_variable_sample),
    # a quote or a backslash in a definition's string stays escaped, or is read as Python reads it
    Seam(_PREPROCESSOR, "Preprocessor", "_inner_string_of", staticmethod(literals.string_of)),
    Seam(_PREPROCESSOR, "", "from_string_literal", literals.string_of),
    # -1 in a definition became -1.0
    Seam(
        _PREPROCESSOR,
        "Preprocessor",
        "visitAssign_template_value_terminal_float",
        literals.assign_number,
    ),
    Seam(
        _PREPROCESSOR,
        "Preprocessor",
        "visitJsonata_template_value_terminal_float",
        literals.template_number,
    ),
    Seam(_PREPROCESSOR, "Preprocessor", "visitPayload_value_float", literals.payload_number),
    # the history's assignedVariables: strings were put between quotes, unescaped
    Seam(f"{_ASL}.eval.variable_store", "VariableStore", "get_assigned_variables", expressions.assigned_variables),
    # a result that is not there is undefined in JSONata, moto sets null
    Seam(f"{_ASL}.eval.states", "States", "reset", expressions.reset_states),
    # only a boolean is a condition; moto: States.Runtime with a Python type's name
    Seam(
        f"{_COMPONENT}.state.choice.comparison.comparison",
        "ConditionStringJSONata",
        "_eval_body",
        transitions.eval_condition,
    ),
    # seconds are whole numbers within limits; moto cuts them with int() and lets text through to a crash
    Seam(
        f"{_COMPONENT}.state.wait.wait_function.seconds",
        "SecondsJSONata",
        "_get_wait_seconds",
        transitions.wait_seconds_jsonata,
    ),
    Seam(
        f"{_COMPONENT}.common.timeouts.timeout",
        "TimeoutSecondsJSONata",
        "_eval_seconds",
        transitions.timeout_seconds_jsonata,
    ),
    Seam(
        f"{_COMPONENT}.common.timeouts.heartbeat",
        "HeartbeatSecondsJSONata",
        "_eval_seconds",
        transitions.timeout_seconds_jsonata,
    ),
    # moto tells of a query's failure with the state's name put before the cause twice
    Seam(
        f"{_COMPONENT}.common.error_name.failure_event",
        "FailureEventException",
        "get_evaluation_failed_event_details",
        failures.evaluation_details,
    ),
)

_STATES: Final = (
    # logs the whole component tree on each failure (slow), and carries on in silence when stopped
    Seam(f"{_COMPONENT}.eval_component", "EvalComponent", "eval", program.eval_component),
    # a path is parsed at each evaluation, even "$"
    Seam(f"{_COMPONENT}.common.path.result_path", "", "parse", paths.parse),
    Seam(f"{_ASL}.utils.json_path", "", "parse", paths.parse_extended),
    # a tenth of a state's time goes into copying what is JSON
    Seam(f"{_ASL}.eval.states", "", "copy", copies.JsonCopies),
    Seam(f"{_COMPONENT}.common.path.result_path", "", "copy", copies.JsonCopies),
    Seam(f"{_SERVICES}.state_task_service", "", "copy", copies.JsonCopies),
    # a thread for each program; the end of a program that was timed out is recorded after it was reported
    Seam(f"{_COMPONENT}.program.program", "Program", "eval", program.eval_program),
    # EnteredTime is the machine's, RetryCount is missing in states without Retry
    Seam(_STATE_FIELDS, "CommonStateField", "_eval_state_input", transitions.enter_state),
    # Assign must not be seen by Output of the same state
    Seam(f"{_COMPONENT}.common.assign.assign_decl", "AssignDecl", "_eval_body", transitions.eval_assign),
    Seam(_STATE_FIELDS, "CommonStateField", "_eval_state_output", transitions.leave_state),
    Seam(_EXECUTION, "ExecutionState", "_eval_state_output", transitions.leave_execution_state),
    Seam(_CHOICE, "StateChoice", "_eval_state_output", transitions.leave_choice),
    # no rule matched: States.NoChoiceMatched; a rule that names the default's state is not the default
    Seam(_CHOICE, "StateChoice", "_eval_state", transitions.eval_choice),
    Seam(f"{_STATE}.choice.choice_rule", "ChoiceRule", "_eval_body", transitions.eval_rule),
    # Error may be any name, States.* too
    Seam(f"{_STATE}.fail.state_fail", "StateFail", "_eval_state", transitions.eval_fail),
    # waits on the machine's clock, wakes late or never when stopped; Timestamp in local time
    Seam(f"{_STATE}.wait.wait_function.wait_function", "WaitFunction", "_eval_body", transitions.wait),
    Seam(f"{_STATE}.wait.wait_function.timestamp", "Timestamp", "_get_wait_seconds", transitions.wait_until),
    # an attempt that is stopped is not a failure; Output belongs to what Catch covers
    Seam(_EXECUTION, "ExecutionState", "_evaluate_with_timeout", attempts.evaluate_attempt),
    Seam(_EXECUTION, "ExecutionState", "_eval_state", attempts.eval_state),
    Seam(_EXECUTION, "ExecutionState", "_handle_retry", attempts.handle_retry),
    # a Map or Parallel that takes too long is States.Timeout
    Seam(_EXECUTION, "ExecutionState", "_from_error", tasks.state_from_error),
    # States.TaskFailed takes every error but States.Timeout
    Seam(
        f"{_COMPONENT}.common.error_name.error_equals_decl",
        "ErrorEqualsDecl",
        "_eval_body",
        attempts.eval_error_equals,
    ),
    # sleeps in the thread, deaf to StopExecution
    Seam(f"{_COMPONENT}.common.retry.retrier_decl", "RetrierDecl", "_eval_body", attempts.eval_retrier),
    # one thread an item, waits for ever for one that was stopped, refuses errors named States.*
    Seam(
        f"{_STATE}.exec.state_map.iteration.inline_iteration_component",
        "InlineIterationComponent",
        "_eval_body",
        concurrency.run_iterations,
    ),
    Seam(f"{_STATE}.exec.state_parallel.branches_decl", "BranchesDecl", "_eval_body", concurrency.run_branches),
)

_NAMED_TASKS: Final = {
    "lambda": "StateTaskServiceLambda",
    "dynamodb": "StateTaskServiceDynamoDB",
    "sns": "StateTaskServiceSns",
    "sqs": "StateTaskServiceSqs",
    "events": "StateTaskServiceEvents",
}
"""moto's modules of the tasks whose refusals get AWS's names, and their classes"""

CLIENT_USERS: Final = (
    f"{_SERVICES}.state_task_service_aws_sdk",
    f"{_SERVICES}.state_task_service_dynamodb",
    f"{_SERVICES}.state_task_service_ecs",
    f"{_SERVICES}.state_task_service_events",
    f"{_SERVICES}.state_task_service_glue",
    f"{_SERVICES}.state_task_service_sfn",
    f"{_SERVICES}.state_task_service_sns",
    f"{_SERVICES}.state_task_service_sqs",
    f"{_SERVICES}.state_task_service_unsupported",
    f"{_TASK}.lambda_eval_utils",
    f"{_COMPONENT}.state.exec.state_map.item_reader.eval.resource_eval_s3",
    f"{_COMPONENT}.state.exec.state_map.result_writer.resource_eval.resource_eval_s3",
)
"""the modules of moto that imported `boto_client_for`: fixed credentials, a fixed port, a client for each call"""

_TASKS: Final = (
    # sagemaker is "unsupported" there, and aws-sdk names errors and members by boto's names
    Seam(f"{_TASK}.state_task_factory", "", "state_task_service_for", task_services.service_for),
    # drops the fields that it does not know
    Seam(f"{_TASK}.state_task", "StateTask", "_eval_parameters", tasks.eval_parameters),
    # the role of the state machine was evaluated and then not used
    Seam(f"{_TASK}.state_task", "StateTask", "_eval_state_credentials", clients.eval_state_credentials),
)


def _naming_refusals(module: str, owner: str) -> Seam:
    return Seam(module, owner, "_from_error", tasks.naming_refusals(module, owner))


SEAMS: Final = (
    *_EXPRESSIONS,
    *_STATES,
    *_TASKS,
    *(_naming_refusals(f"{_SERVICES}.state_task_service_{name}", owner) for name, owner in _NAMED_TASKS.items()),
    *(Seam(module, "", "boto_client_for", clients.client_for) for module in CLIENT_USERS),
)
"""every replacement"""
