"""What holds for every state of the definition."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.config.environment import LimitSettings
from modelwright.config.structure import PipelineStructure
from modelwright.workflow import functions as functions_module
from modelwright.workflow import states_endpoint, states_failure, states_jobs, states_lease
from modelwright.workflow.definition import (
    PLACEHOLDERS,
    definition,
    placeholders,
    state_functions,
    state_name,
)
from modelwright.workflow.expressions import expression
from modelwright.workflow.functions import FUNCTIONS, functions
from modelwright.workflow.run_names import ATTEMPT_LENGTH, RUN_ID_LENGTH
from modelwright.workflow.structure import ENDPOINT_KINDS, Limits, Surroundings, WorkflowStructure
from prepare_run import hosting

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HISTORY = 25_000
LONGEST_NAME = "p" * 20
LONGEST_ENVIRONMENT = "e" * 12
BEST_EFFORT = {
    "ReleaseLease": "the run did what it should; the lease ends by its time",
    "ReleaseFailedLease": "the first error stays the error; the lease ends by its time",
    "RemoveOldModels": "what stays behind is not worth undoing a deployment",
    "RestoreEndpoint": "the first error stays the error; the message says that nothing was restored",
    "NotifySuccess": "the run did what it should",
    "NotifyRejected": "the run did what it should",
    "NotifyRegistered": "the run did what it should",
    "MarkRunFailed": "the first error stays the error",
    "NotifyFailure": "the first error stays the error",
}


STRUCTURES = (
    *(WorkflowStructure("penguins", kind) for kind in ENDPOINT_KINDS),
    WorkflowStructure("penguins", "realtime", autoscaling=True, capture=True, shadow=True),
    WorkflowStructure("penguins", "async", autoscaling=True),
    WorkflowStructure("penguins", compiled=True),
    WorkflowStructure("penguins", script_image=True),
)


@pytest.fixture(
    params=STRUCTURES,
    ids=lambda item: (
        f"{item.endpoint}{'-full' * item.autoscaling}{'-compiled' * item.compiled}{'-script' * item.script_image}"
    ),
)
def structure(request: pytest.FixtureRequest) -> WorkflowStructure:
    found: WorkflowStructure = request.param
    return found


@pytest.fixture
def document(structure: WorkflowStructure) -> dict[str, Any]:
    return definition(structure)


def tasks(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, state) for name, state in document["States"].items() if state["Type"] == "Task")


def following(state: dict[str, Any]) -> set[str]:
    branches = [*state.get("Choices", []), *state.get("Catch", []), state]
    return {branch["Next"] for branch in branches if "Next" in branch} | (
        {state["Default"]} if "Default" in state else set()
    )


def test_every_task_has_a_timeout_bounded_retries_with_jitter_and_a_catch_of_everything(
    document: dict[str, Any],
) -> None:
    for name, state in tasks(document):
        assert state["TimeoutSeconds"], name
        assert state["Retry"], name
        for retry in state["Retry"]:
            assert 1 <= retry["MaxAttempts"] <= 5, name
            assert retry["BackoffRate"] > 1, name
            assert retry["JitterStrategy"] == "FULL", name
            assert "States.ALL" not in retry["ErrorEquals"], name
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_what_is_caught_leads_to_the_failure_path_or_is_on_the_list_with_its_reason(document: dict[str, Any]) -> None:
    quiet = {name for name, state in tasks(document) if "failure" not in state["Catch"][-1].get("Assign", {})}
    assert quiet == set(BEST_EFFORT) & set(document["States"])


def test_every_state_is_reached_and_every_next_state_exists(document: dict[str, Any]) -> None:
    reached, waiting = set(), {document["StartAt"]}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= following(document["States"][name]) - reached
    assert reached == set(document["States"])


def test_states_are_named_as_their_functions_and_say_what_they_promise() -> None:
    for structure in STRUCTURES:
        names = [state_name(function) for function in state_functions(structure)]
        assert names == list(definition(structure)["States"])
        assert all(function.__doc__ for function in state_functions(structure))


def test_no_state_function_is_longer_than_25_lines() -> None:
    for function in {function for structure in STRUCTURES for function in state_functions(structure)}:
        assert len(inspect.getsource(function).splitlines()) <= 25, function.__name__


def test_the_definition_is_small_and_equal_each_time(structure: WorkflowStructure) -> None:
    text = json.dumps(definition(structure))
    assert len(text) < 1_000_000
    assert text == json.dumps(definition(structure))


def test_the_structure_of_the_settings_makes_the_same_definition() -> None:
    for compiled in (False, True):
        found = PipelineStructure("penguins", "realtime", "main", None, None, compiled=compiled)
        assert definition(found) == definition(WorkflowStructure("penguins", compiled=compiled))
    found = PipelineStructure("penguins", "realtime", "main", None, None, script_image=True)
    assert definition(found) == definition(WorkflowStructure("penguins", script_image=True))


def test_what_is_not_compiled_has_no_state_for_it() -> None:
    names = {"DecideCompilation", "FindServingImage", "BuildServingImage", "ConvertModel", "ChooseModel"}
    assert not names & set(definition(WorkflowStructure("penguins"))["States"])
    assert names < set(definition(WorkflowStructure("penguins", compiled=True))["States"])
    scripted = set(definition(WorkflowStructure("penguins", script_image=True))["States"])
    assert names & scripted == {"FindServingImage", "BuildServingImage"}
    assert "DecideServing" in scripted


def test_placeholders_are_those_that_are_exported() -> None:
    every = [placeholders(definition(structure)) for structure in STRUCTURES]
    assert frozenset().union(*every) == PLACEHOLDERS


def test_each_pipeline_has_exactly_the_functions_that_its_state_machine_calls(structure: WorkflowStructure) -> None:
    called = {name for name in placeholders(definition(structure)) if name.endswith("FunctionArn")}
    made = functions(
        structure.endpoint, autoscaling=structure.autoscaling, shadow=structure.shadow, compiled=structure.compiled
    )
    assert called == {function.placeholder for function in made}


def test_a_task_waits_longer_than_its_function_may_take(document: dict[str, Any]) -> None:
    by_placeholder = {"${" + item.placeholder + "}": item for item in FUNCTIONS}
    for name, state in tasks(document):
        if state["Resource"].endswith("lambda:invoke"):
            function = by_placeholder[state["Arguments"]["FunctionName"]]
            assert state["TimeoutSeconds"] > function.timeout_seconds, name


def test_an_unknown_endpoint_kind_is_an_error_that_names_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=re.escape("penguins: deploy.endpoint is 'edge'; it must be realtime or")):
        definition(WorkflowStructure("penguins", "edge"))


def test_names_fit_into_63_characters() -> None:
    text = json.dumps(definition(WorkflowStructure(LONGEST_NAME, compiled=True), Surroundings(LONGEST_ENVIRONMENT)))
    prefixes = re.findall(rf"'({LONGEST_ENVIRONMENT}-{LONGEST_NAME}-(?:[a-z]+-)?)' & \$plan\.run\.id", text)
    assert len(prefixes) >= 5
    assert max(len(prefix) + RUN_ID_LENGTH + 1 + ATTEMPT_LENGTH for prefix in prefixes) <= 63


def test_attempts_never_share_a_name(document: dict[str, Any]) -> None:
    """One digit for the rounds of waiting, one for a task's retries."""
    assert states_jobs.MAX_CAPACITY_WAITS < 10
    for name, state in tasks(document):
        assert sum(retry["MaxAttempts"] for retry in state["Retry"]) < 10, name


def test_the_longest_history_is_far_below_the_limit() -> None:
    tries = 4  # one and three retries
    entered_and_left, tried = 2, 4  # scheduled, started, submitted, succeeded or failed
    poll = entered_and_left * 3 + tried * tries
    polls = 3 * states_endpoint.max_polls(Limits()) + states_lease.max_lease_waits(
        Limits()
    )  # idle, watch, restore; and the lease
    jobs = (states_jobs.MAX_CAPACITY_WAITS + 3) * (tried * tries + 3 * entered_and_left)
    others = 60 * (entered_and_left + tried * tries)
    assert polls * poll + jobs + others < MAX_HISTORY


def test_what_happens_under_a_lease_fits_into_it() -> None:
    limits = Limits()
    once = sum(item.timeout_seconds for item in FUNCTIONS if item.deploys)
    polled = states_endpoint.max_polls(limits) * (states_endpoint.SLOW_POLL_SECONDS + 10)
    assert (
        3 * polled + 2 * once < LimitSettings().lease_seconds
    )  # idle, deployed, restored; each function and one retry


def test_a_run_waits_longer_than_a_lease_can_last() -> None:
    """A lease whose holder is lost ends by its time: until then nobody who waits gives up."""
    waited = states_lease.max_lease_waits(Limits()) * states_lease.LONGEST_WAIT_SECONDS
    assert waited > LimitSettings().lease_seconds


def test_a_deployment_ends_before_it_is_no_longer_watched() -> None:
    assert Limits().deployment_seconds <= states_endpoint.max_polls(Limits()) * states_endpoint.SLOW_POLL_SECONDS
    longest = states_endpoint.update_timeout(Limits())
    assert longest < Limits().deployment_seconds
    assert longest > hosting.BAKE_SECONDS + states_endpoint.TERMINATION_SECONDS


def test_no_text_from_outside_is_pasted_into_an_expression(document: dict[str, Any]) -> None:
    """Placeholders are the only texts that arrive later, and they are names without quotes."""
    for found in re.findall(r"\{%(.*?)%\}", json.dumps(document)):
        inner = set(re.findall(r"\$\{(\w+)\}", found))
        assert inner <= {"EndpointName", "KeyArn", "AnswersTopicArn", "ServingImageHash", "ServingImageRepository"}, (
            found
        )


def test_an_object_becomes_an_expression_with_its_inner_expressions() -> None:
    given = {"a": "{% $x.y %}", "b": [1, 'it\'s "quoted"'], "c": {}}
    assert expression(given) == '{"a": $x.y, "b": [1, "it\'s \\"quoted\\""], "c": {}}'


def test_every_function_of_the_table_has_a_handler_string_of_its_folder() -> None:
    assert [item.handler for item in functions_module.FUNCTIONS if not item.handler.startswith(item.name)] == []
    assert functions_module.PACKAGE_MODEL.placeholder == "PackageModelFunctionArn"


def test_the_cause_keeps_within_the_limit() -> None:
    assert states_failure.MAX_CAUSE + 64 < 32_768
