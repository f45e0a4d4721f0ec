"""The most events of a run, from its graph; a loop that nothing counts is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelwright.client.checks.history import UnboundedLoopError, check_history, most_events
from modelwright.client.checks.report import Collector, Measure
from modelwright.client.checks.templates import Template
from modelwright.workflow import states_endpoint, states_lease
from modelwright.workflow.definition import definition, state_functions, state_name
from modelwright.workflow.structure import LEASE_MARGIN_SECONDS, Limits, Surroundings, WorkflowStructure

START_AND_END = 2
STATE = 3
CALL = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
END = {"Type": "Succeed"}


def choice(condition: str, target: str, default: str = "End") -> dict[str, Any]:
    return {"Type": "Choice", "Choices": [{"Condition": f"{{% {condition} %}}", "Next": target}], "Default": default}


def wait(counter: str = "n", **more: Any) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": 1, "Assign": {counter: f"{{% ${counter} + 1 %}}"}, "Next": "Look", **more}


def loop(condition: str = "$n < 10", **states: Any) -> dict[str, Any]:
    look = {**CALL, "Next": "Check"}
    return {
        "StartAt": "Look",
        "States": {"Look": look, "Check": choice(condition, "W"), "W": wait(), "End": END} | states,
    }


def test_a_straight_line_is_counted_once_with_every_attempt() -> None:
    job = {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "Next": "B"}
    states = {"A": {**job, "Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 2}]}, "B": END}
    assert most_events({"States": states}) == START_AND_END + 2 * STATE + 3 * 4


def test_a_retry_that_names_no_limit_has_awss_own() -> None:
    states = {"A": {**CALL, "Retry": [{"ErrorEquals": ["X"]}], "Next": "B"}, "B": END}
    assert most_events({"States": states}) == START_AND_END + 2 * STATE + 4 * 3


def test_the_states_of_a_loop_count_once_more_than_it_has_rounds() -> None:
    inside = (STATE + 3) + STATE + STATE
    assert most_events(loop()) == START_AND_END + 11 * inside + STATE


def test_a_loop_in_a_loop_is_multiplied() -> None:
    inner = {**choice("$m < 4", "Again", "Check2")}
    again = {**wait("m"), "Next": "Check"}
    outer = loop("$m < 4", Check=inner, Again=again, Check2=choice("$n < 10", "W"), W=wait("n"))
    assert most_events(outer) == START_AND_END + 5 * 11 * ((STATE + 3) + 3 * STATE) + 5 * STATE + STATE


def test_the_counter_may_be_raised_one_state_later() -> None:
    delete = {**CALL, "Next": "W"}
    states = loop(Check=choice("$failed and $n < 10", "Delete"), Delete=delete)
    assert most_events(states) == START_AND_END + 11 * ((STATE + 3) + STATE + (STATE + 3) + STATE) + STATE


@pytest.mark.parametrize(
    "states",
    [
        loop("$busy"),
        loop("$n < 10 or $busy"),
        loop(W={"Type": "Wait", "Seconds": 1, "Next": "Look"}),
        loop(W=wait("other")),
        loop(Look={**CALL, "Assign": {"n": 0}, "Next": "Check"}),
        loop(
            Look={**CALL, "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"n": 0}, "Next": "W"}], "Next": "Check"}
        ),
        loop(Check=choice("$n < 10", "W", "Look")),
        {"States": {"Look": wait()}},
    ],
)
def test_a_loop_that_nothing_counts_has_no_bound(states: dict[str, Any]) -> None:
    with pytest.raises(UnboundedLoopError, match="Look"):
        most_events(states)


def test_the_branches_of_a_parallel_are_added_and_a_map_has_no_bound() -> None:
    branch = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    assert most_events({"States": {"P": {"Type": "Parallel", "Branches": [branch, branch], "End": True}}}) == 2 + 9
    each = {"Type": "Map", "ItemProcessor": branch, "End": True}
    with pytest.raises(UnboundedLoopError, match="Each"):
        most_events({"States": {"Each": each}})


def check(document: dict[str, Any]) -> Collector:
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": json.dumps(document)}}
    collector = Collector()
    check_history([Template("x", Path("x.json"), {"Resources": {"Machine": machine}})], collector)
    return collector


def test_the_bound_is_told_and_too_large_a_one_is_a_finding() -> None:
    collector = check(loop())
    assert collector.findings == []
    assert collector.measures == [Measure("history, at most", "x/Machine", 137, 25_000, "events")]
    assert str(collector.measures[0]) == "x/Machine: history, at most: 137 of 25,000 events"
    ((finding),) = check(loop("$n < 3000")).findings
    assert (finding.id, finding.where) == ("events", "x/Machine")
    assert "may have 36017 events; an execution fails at 25000" in finding.message


def test_a_loop_without_a_bound_is_a_finding() -> None:
    ((finding),) = check(loop("$busy")).findings
    assert (finding.id, finding.message) == (
        "loop",
        "nothing ends the loop of Check, Look, W: no Choice in it counts the rounds.",
    )


@pytest.mark.parametrize("endpoint", ["realtime", "none"])
def test_a_pipelines_own_state_machine_has_a_bound(endpoint: str) -> None:
    assert most_events(definition(WorkflowStructure("penguins", endpoint))) < 25_000


@pytest.mark.parametrize("wait", [60, 3600, 14_400])
@pytest.mark.parametrize("lease", [18_000, 86_400])
def test_the_longest_waits_of_an_environment_keep_within_it(wait: int, lease: int) -> None:
    """What `environments/<env>.yaml` takes at most; whoever waits longer asks more seldom."""
    limits = Limits(deployment_seconds=wait, lease_wait_seconds=lease + LEASE_MARGIN_SECONDS)
    whole = WorkflowStructure("penguins", "realtime", Surroundings(limits=limits))
    states = {state_name(function): function(whole) for function in state_functions(whole)}
    assert most_events({"States": states}) < 20_000
    assert states_endpoint.max_polls(limits) * states_endpoint.slow_poll_seconds(limits) >= wait
    assert states_lease.max_lease_waits(limits) * states_lease.longest_wait_seconds(limits) > lease
