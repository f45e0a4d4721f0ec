"""The seams at which moto's interpreter is put right: every replacement, once, with moto's module and the reason.

`docs/adr/0005-the-interpreter.md` says why moto's interpreter and not one of our own. A test fails when one of these
names is gone from moto, or is no longer what the interpreter calls.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_factory import (
    state_task_service_for as _moto_service_for,
)

from modelwright.local.stepfunctions import (
    attempts,
    clients,
    codebuild_task,
    concurrency,
    copies,
    expressions,
    failures,
    literals,
    paths,
    program,
    sagemaker_task,
    tasks,
    transitions,
)

_ASL: Final = "moto.stepfunctions.parser.asl"
_COMPONENT: Final = f"{_ASL}.component"
_TASK: Final = f"{_COMPONENT}.state.exec.state_task"
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


@cache
def seams() -> list[Seam]:
    """Give every replacement; imports moto's interpreter."""
    return [*_expression_seams(), *_state_seams(), *_task_seams()]


def _expression_seams() -> list[Seam]:
    strings = f"{_COMPONENT}.common.string.string_expression"
    return [
        # moto has no JSONata at all (its bridge to a JVM was taken out), and pastes variables as text, unescaped
        Seam(strings, "StringJSONata", "_eval_body", expressions.eval_string_jsonata),
        Seam(strings, "StringVariableSample", "_eval_body", expressions.eval_variable_sample),
        # a quote or a backslash in a definition's string stays escaped, or is read as Python reads it
        Seam(f"{_ASL}.parse.preprocessor", "Preprocessor", "_inner_string_of", staticmethod(literals.string_of)),
        Seam(f"{_ASL}.parse.preprocessor", "", "from_string_literal", literals.string_of),
        # -1 in a definition became -1.0
        Seam(
            f"{_ASL}.parse.preprocessor",
            "Preprocessor",
            "visitAssign_template_value_terminal_float",
            literals.assign_number,
        ),
        Seam(
            f"{_ASL}.parse.preprocessor",
            "Preprocessor",
            "visitJsonata_template_value_terminal_float",
            literals.template_number,
        ),
        Seam(f"{_ASL}.parse.preprocessor", "Preprocessor", "visitPayload_value_float", literals.payload_number),
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
    ]


def _state_seams() -> list[Seam]:
    state = f"{_COMPONENT}.state"
    common = f"{state}.state"
    execution = f"{state}.exec.execute_state"
    choice = f"{state}.choice.state_choice"
    return [
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
        Seam(common, "CommonStateField", "_eval_state_input", transitions.enter_state),
        # Assign must not be seen by Output of the same state
        Seam(f"{_COMPONENT}.common.assign.assign_decl", "AssignDecl", "_eval_body", transitions.eval_assign),
        Seam(common, "CommonStateField", "_eval_state_output", transitions.leave_state),
        Seam(execution, "ExecutionState", "_eval_state_output", transitions.leave_execution_state),
        Seam(choice, "StateChoice", "_eval_state_output", transitions.leave_choice),
        # no rule matched: States.NoChoiceMatched; a rule that names the default's state is not the default
        Seam(choice, "StateChoice", "_eval_state", transitions.eval_choice),
        Seam(f"{state}.choice.choice_rule", "ChoiceRule", "_eval_body", transitions.eval_rule),
        # Error may be any name, States.* too
        Seam(f"{state}.fail.state_fail", "StateFail", "_eval_state", transitions.eval_fail),
        # waits on the machine's clock, wakes late or never when stopped; Timestamp in local time
        Seam(f"{state}.wait.wait_function.wait_function", "WaitFunction", "_eval_body", transitions.wait),
        Seam(f"{state}.wait.wait_function.timestamp", "Timestamp", "_get_wait_seconds", transitions.wait_until),
        # an attempt that is stopped is not a failure; Output belongs to what Catch covers
        Seam(execution, "ExecutionState", "_evaluate_with_timeout", attempts.evaluate_attempt),
        Seam(execution, "ExecutionState", "_eval_state", attempts.eval_state),
        Seam(execution, "ExecutionState", "_handle_retry", attempts.handle_retry),
        # a Map or Parallel that takes too long is States.Timeout
        Seam(execution, "ExecutionState", "_from_error", tasks.state_from_error),
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
            f"{state}.exec.state_map.iteration.inline_iteration_component",
            "InlineIterationComponent",
            "_eval_body",
            concurrency.run_iterations,
        ),
        Seam(f"{state}.exec.state_parallel.branches_decl", "BranchesDecl", "_eval_body", concurrency.run_branches),
    ]


def _task_seams() -> list[Seam]:
    named = {
        "lambda": "StateTaskServiceLambda",
        "dynamodb": "StateTaskServiceDynamoDB",
        "sns": "StateTaskServiceSns",
        "sqs": "StateTaskServiceSqs",
        "events": "StateTaskServiceEvents",
    }
    found = [
        # sagemaker is "unsupported" there, and aws-sdk names errors and members by boto's names
        Seam(f"{_TASK}.state_task_factory", "", "state_task_service_for", service_for),
        # drops the fields that it does not know
        Seam(f"{_TASK}.state_task", "StateTask", "_eval_parameters", tasks.eval_parameters),
        # the role of the state machine was evaluated and then not used
        Seam(f"{_TASK}.state_task", "StateTask", "_eval_state_credentials", clients.eval_state_credentials),
        *(
            Seam(
                f"{_SERVICES}.state_task_service_{name}",
                owner,
                "_from_error",
                tasks.naming_refusals(f"{_SERVICES}.state_task_service_{name}", owner),
            )
            for name, owner in named.items()
        ),
    ]
    return found + [Seam(module, "", "boto_client_for", clients.client_for) for module in CLIENT_USERS]


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


def service_for(service_name: str) -> Any:
    """In place of `state_task_service_for`: SageMaker's tasks and the SDK's are our own."""
    if service_name == "sagemaker":
        return sagemaker_task.SageMakerTask()
    if service_name == "codebuild":
        return codebuild_task.CodeBuildTask()
    if service_name == "aws-sdk":
        return tasks.AwsSdkTask()
    return _moto_service_for(service_name)


_installed = False
_lock = threading.Lock()


def install() -> None:
    """Put every replacement in its place; the second call does nothing."""
    global _installed  # noqa: PLW0603  # moto's modules are global too: once a process
    with _lock:
        if _installed:
            return
        for seam in seams():
            target = seam.target()
            if seam.name not in vars(target):
                raise ImportError(f"moto's {seam.module} has no {seam.owner or 'module'}.{seam.name} any more.")
            setattr(target, seam.name, seam.replacement)
        _installed = True
