"""JSONata in states: any value and text survives, and what a query's failure is."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
