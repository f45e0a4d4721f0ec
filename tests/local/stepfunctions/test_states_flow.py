"""Where a state machine goes next: Catch, Choice, Map, and definitions that are refused."""

import json

import pytest

from modelwright.local.service import AwsError

PASS = {"Type": "Pass"}


# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
@pytest.mark.parametrize(
    ("error", "caught_by", "caught"),
    [
        ("Mine", "States.TaskFailed", True),
        ("Mine", "States.ALL", True),
        ("Mine", "Other", False),
        ("States.Timeout", "States.TaskFailed", False),
        ("States.Timeout", "States.ALL", True),
        ("States.QueryEvaluationError", "States.TaskFailed", True),
        ("States.Runtime", "States.ALL", False),
        ("States.DataLimitExceeded", "States.ALL", False),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", True),
    ],
)
def test_which_errors_a_catch_takes(states, error, caught_by, caught):
    found = states.run_state(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": error}}}],
            "Catch": [{"ErrorEquals": [caught_by], "Next": "Caught"}],
        },
        None,
        Caught={**PASS, "Output": "caught", "End": True},
    )
    assert (found["status"], found.get("output", found.get("error"))) == (
        ("SUCCEEDED", "caught") if caught else ("FAILED", error)
    )


def test_a_choice_takes_the_first_rule_and_its_assignments(states):
    found = states.run_state(
        {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.n > 5 %}", "Next": "Big"},
                {"Condition": "{% $states.input.n > 1 %}", "Assign": {"x": "few"}, "Output": {"o": 1}, "Next": "Small"},
            ],
            "Default": "Small",
            "Assign": {"x": "default"},
        },
        {"n": 2},
        Big={**PASS, "End": True},
        Small={**PASS, "Output": "{% [$x, $states.input.o] %}", "End": True},
    )
    assert found["output"] == ["few", 1]


def test_a_choice_without_a_way_out_is_no_choice_matched(states):
    found = states.run_state(
        {"Type": "Choice", "Choices": [{"Condition": False, "Next": "E"}]}, None, E={"Type": "Succeed"}
    )
    assert found["error"] == "States.NoChoiceMatched"


def test_a_map_has_its_context_and_keeps_the_order(states):
    found = states.run_state(
        {
            "Type": "Map",
            "Items": "{% $states.input.words %}",
            "MaxConcurrency": 2,
            "ItemSelector": {
                "word": "{% $states.context.Map.Item.Value %}",
                "index": "{% $states.context.Map.Item.Index %}",
                "all": "{% $count($states.input.words) %}",
            },
            "ItemProcessor": {
                "StartAt": "I",
                "States": {
                    "I": {**PASS, "Output": "{% $states.input.word & $string($states.input.index) %}", "End": True}
                },
            },
        },
        {"words": ["a", "b", "c"]},
    )
    assert found["output"] == ["a0", "b1", "c2"]


@pytest.mark.parametrize("items", [[], [1]])
def test_a_map_of_few_items(states, items):
    processor = {"StartAt": "I", "States": {"I": {**PASS, "End": True}}}
    assert states.run_state({"Type": "Map", "Items": items, "ItemProcessor": processor})["output"] == items


def test_an_iteration_that_fails_fails_the_map_with_its_own_error(states):
    processor = {
        "StartAt": "I",
        "States": {"I": {"Type": "Fail", "Error": "States.TaskFailed", "Cause": "one of them"}},
    }
    found = states.run_state({"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": processor})
    assert (found["error"], found["cause"]) == ("States.TaskFailed", "one of them")
    assert "MapStateFailed" in states.types(found["executionArn"])


def test_variables_of_an_iteration_stay_in_it(states):
    processor = {
        "StartAt": "I",
        "States": {
            "I": {**PASS, "Assign": {"mine": "{% $states.input %}"}, "Next": "J"},
            "J": {**PASS, "Output": "{% $mine + $outer %}", "End": True},
        },
    }
    found = states.run(
        {
            "StartAt": "A",
            "States": {
                "A": {**PASS, "Assign": {"outer": 10}, "Next": "M"},
                "M": {"Type": "Map", "Items": [1, 2], "ItemProcessor": processor, "Next": "Z"},
                "Z": {**PASS, "Output": "{% [$states.input, $exists($mine)] %}", "End": True},
            },
        }
    )
    assert found["output"] == [11, 12, False]


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (
            {"StartAt": "X", "States": {"S": {"Type": "Succeed"}}},
            "StartAt names the state 'X', which does not exist at /StartAt",
        ),
        ({"StartAt": "S", "States": {"S": {**PASS, "Next": "T"}}}, "The state 'T' does not exist at /States/S/Next"),
        ({"StartAt": "S", "States": {"S": {**PASS, "Output": "{% 1 + %}", "End": True}}}, "cannot be parsed"),
        ({"StartAt": "S", "States": {"S": {**PASS, "Output": "{% $eval('1') %}", "End": True}}}, "use $parse"),
        ({"StartAt": "S", "States": {"S": {**PASS, "Output": "{% $$.a %}", "End": True}}}, "has $$ at its top level"),
        ({"StartAt": "S", "States": {"S": {**PASS, "Outpt": 1, "End": True}}}, "Outpt"),
        (
            {
                "StartAt": "S",
                "States": {
                    "S": {
                        "Type": "Map",
                        "End": True,
                        "ItemProcessor": {
                            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                            "StartAt": "I",
                            "States": {"I": {"Type": "Succeed"}},
                        },
                    }
                },
            },
            "A distributed Map does not run in the local cloud",
        ),
    ],
)
def test_a_wrong_definition_is_refused_with_the_place(states, definition, problem):
    with pytest.raises(AwsError) as refused:
        states.create(definition)
    assert refused.value.code == "InvalidDefinition"
    assert problem in refused.value.message
    checked = states.call(
        "ValidateStateMachineDefinition", definition=json.dumps({"QueryLanguage": "JSONata", **definition})
    )
    assert checked["result"] == "FAIL"
