"""The language: JSONata fields, variables, errors, Retry and Catch, waiting, Choice, Map and Parallel."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.local.service import AwsError

PASS = {"Type": "Pass"}
UNDEFINED = (
    "An error occurred while executing the state 'S' (entered at the event id #2). The JSONata expression "
    "'$states.input.absent' specified for the field '{field}' returned nothing (undefined)."
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(string.printable, max_size=6), inner, max_size=4)
    ),
    max_leaves=6,
)
several_runs = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@several_runs
@given(value=json_values)
def test_any_json_value_survives_assign_and_reading(states, value):
    found = states.run(
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Pass", "Assign": {"x": "{% $states.input %}"}, "Output": {}, "Next": "B"},
                "B": {"Type": "Pass", "Output": {"whole": "{% $x %}", "inside": "{% [$x] %}"}, "End": True},
            },
        },
        value,
    )
    assert json.dumps(found["output"]["whole"], sort_keys=True) == json.dumps(value, sort_keys=True)


@several_runs
@given(text=st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: not text.startswith("{%")))
def test_any_text_of_a_definition_is_read_as_json_reads_it(states, text):
    assert states.run_state({**PASS, "Output": {"t": text, "n": -1}})["output"] == {"t": text, "n": -1}


def test_a_quote_in_a_cause_goes_through_catch_and_variables(states):
    cause = "he said \"\\\" & $eval('1') \n"
    found = states.run_state(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Mine", "Cause": cause}}}],
            "Catch": [{"ErrorEquals": ["Mine"], "Assign": {"failure": "{% $states.errorOutput %}"}, "Next": "End"}],
        },
        None,
        End={"Type": "Pass", "Output": "{% 'cause: ' & $failure.Cause %}", "End": True},
    )
    assert found["output"] == f"cause: {cause}"


def test_output_and_assign_see_the_variables_as_they_were(states):
    found = states.run(
        {
            "StartAt": "A",
            "States": {
                "A": {**PASS, "Assign": {"n": 1}, "Next": "B"},
                "B": {**PASS, "Assign": {"n": "{% $n + 1 %}", "m": "{% $n %}"}, "Output": "{% $n %}", "Next": "C"},
                "C": {**PASS, "Output": "{% [$states.input, $n, $m] %}", "End": True},
            },
        }
    )
    assert found["output"] == [1, 2, 1]


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({**PASS, "Output": {"a": ["{% $states.input.absent %}"]}}, "Output/a[0]"),
        ({**PASS, "Assign": {"a": {"b": "{% $states.input.absent %}"}}}, "Assign/a/b"),
        ({"Type": "Wait", "Seconds": "{% $states.input.absent %}"}, "Seconds"),
        ({"Type": "Fail", "Error": "{% $states.input.absent %}"}, "Error"),
        (
            {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.absent %}", "Next": "S"}], "Default": "S"},
            "Choices[0]/Condition",
        ),
        (
            {
                "Type": "Map",
                "Items": "{% $states.input.absent %}",
                "ItemProcessor": {"StartAt": "I", "States": {"I": {**PASS, "End": True}}},
            },
            "Items",
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"Payload": {"x": "{% $states.input.absent %}"}},
            },
            "Arguments/Payload/x",
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "TimeoutSeconds": "{% $states.input.absent %}",
            },
            "TimeoutSeconds",
        ),
    ],
)
def test_an_undefined_result_is_a_query_error_that_names_the_field(states, state, field):
    found = states.run_state(state, {})
    assert (found["error"], found["cause"]) == ("States.QueryEvaluationError", UNDEFINED.format(field=field))
    history = states.history(found["executionArn"])
    (failed,) = [event for event in history if event["type"] == "EvaluationFailed"]
    assert failed["evaluationFailedEventDetails"]["location"] == field
    assert failed["evaluationFailedEventDetails"]["state"] == "S"


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (
            {**PASS, "Output": "{% 1 + 'a' %}"},
            "specified for the field 'Output' threw an error during evaluation. T2002",
        ),
        ({**PASS, "Output": "{% $sum %}"}, "returned an unsupported result type"),
        ({"Type": "Wait", "Seconds": "{% '5' %}"}, "Expected 'number', but was 'string' for value: \"5\""),
        ({"Type": "Wait", "Seconds": "{% 1.5 %}"}, "must give a whole number from 0 to 99999999, but gave 1.5"),
        ({"Type": "Fail", "Cause": "{% 5 %}"}, "Expected 'string', but was 'number'"),
        (
            {"Type": "Choice", "Choices": [{"Condition": "{% 'yes' %}", "Next": "S"}]},
            "Expected 'boolean', but was 'string'",
        ),
        (
            {
                "Type": "Map",
                "Items": "{% 'x' %}",
                "ItemProcessor": {"StartAt": "I", "States": {"I": {**PASS, "End": True}}},
            },
            "Expected 'array', but was 'string'",
        ),
    ],
)
def test_a_result_of_the_wrong_kind_is_a_query_error(states, state, problem):
    found = states.run_state(state)
    assert found["error"] == "States.QueryEvaluationError"
    assert problem in found["cause"]


@pytest.mark.parametrize("field", ["Arguments", "Output", "Assign"])
def test_a_query_error_of_a_task_can_be_caught(states, cloud, field):
    cloud.api("sns").answers["publish"] = {"MessageId": "m"}
    arguments = {"TopicArn": "t", "Message": "m"}
    state = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": arguments}
    state[field] = {**(arguments if field == "Arguments" else {}), "Subject": "{% $states.input.absent %}"}
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}]
    found = states.run_state({**state, "Catch": catch}, {}, Caught={**PASS, "End": True})
    assert found["output"] == {
        "Error": "States.QueryEvaluationError",
        "Cause": UNDEFINED.format(field=f"{field}/Subject"),
    }


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
