"""How large what travels through a state machine may become, and what has no bound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelwright.client.checks.payloads import check_payloads
from modelwright.client.checks.report import Collector
from modelwright.client.checks.sizes import Scope, UnknownSizeError, size_of, total
from modelwright.client.checks.templates import Template
from modelwright.workflow.definition import definition
from modelwright.workflow.payload_sizes import ANSWERS, CAUSE
from modelwright.workflow.structure import WorkflowStructure

SCOPE = Scope({"plan": {"id": 14, "uri": 400}, "cause": 100_000, "gate": 1000}, {"context": {"Id": 300}})
END = {"Type": "Succeed", "Output": {}}


def check(states: dict[str, Any], **metadata: Any) -> Collector:
    properties = {"DefinitionString": json.dumps({"StartAt": "A", "States": states})}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    machine["Metadata"] = {"modelwright": metadata}
    collector = Collector()
    check_payloads([Template("x", Path("x.json"), {"Resources": {"Machine": machine}})], collector)
    assert all(item.tool == "payloads" and item.where == "x/Machine" for item in collector.findings)
    return collector


def ids(collector: Collector) -> set[str]:
    return {item.id for item in collector.findings}


def job(**changes: Any) -> dict[str, Any]:
    arguments = {"ProcessingJobName": "j"}
    resource = "arn:aws:states:::sagemaker:createProcessingJob.sync"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "Output": {}, "End": True, **changes}


def function(placeholder: str = "${RecordMetricsFunctionArn}", **changes: Any) -> dict[str, Any]:
    arguments = {"FunctionName": placeholder, "Payload": {}}
    resource = "arn:aws:states:::lambda:invoke"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "Output": {}, "End": True, **changes}


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("$plan.id", 14),
        ("$plan.uri & 'train/'", 408),
        ("$plan", 2 + 2 + 4 + 14 + 3 + 4 + 400),
        ("$cause.anything", 100_000),
        ("$substring($cause, 0, 1000)", 4002),
        ("$substring($plan.id, 0, 1000)", 14),
        ("$string($plan.uri)", 802),
        ("$exists($cause) ? $plan.id : $plan.uri", 400),
        ("$plan.id = 'x' and $contains($cause, /x/)", 5),
        ("$n in ['a']", 5),
        ("1 + 2", 26),
        ("$split($plan.uri, '/')[-1]", 403),
        ("$join($map($gate, function($item) { $item.text }), '; ')", 2004),
        ("$hash($states.context.Id, 'SHA-256')", 130),
        ("{'a': $plan.id}", 21),
        ("[$plan.id]", 17),
        ("$merge([{'a': 1}, $plan])", 441),
        ("[60, 120][$plan.id]", 9),
    ],
)
def test_an_expression_is_as_large_as_what_it_names(text: str, most: int) -> None:
    assert total(size_of("{% " + text + " %}", SCOPE)) == most


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("$unknown", r"\$unknown"),
        ("$plan.other", r"\$plan\.other"),
        ("$states.result.X", r"\$states\.result"),
        ("$replace($cause, 'a', 'aa')", r"\$replace"),
        ("$plan ~> $string", "the kind apply"),
    ],
)
def test_what_nobody_knows_the_size_of_is_named(text: str, named: str) -> None:
    with pytest.raises(UnknownSizeError, match=named):
        size_of("{% " + text + " %}", SCOPE)


@pytest.mark.parametrize("endpoint", ["realtime", "none"])
def test_a_pipelines_own_state_machine_is_bounded(endpoint: str) -> None:
    collector = check(definition(WorkflowStructure("penguins", endpoint))["States"])
    assert [str(item) for item in collector.findings] == []
    (measure,) = collector.measures
    assert measure.what.startswith(("payload, at most (Notify", "payload, at most (PrepareRun"))
    assert 200_000 < measure.found < measure.limit == 262_144


def test_a_whole_job_description_that_is_passed_on_is_found() -> None:
    assert ids(check({"A": job(Output="{% $states.result %}")})) == {"whole[A]"}
    assert ids(check({"A": job(Output={}, Assign={"described": "{% $states.result %}"})})) == {"whole[A]"}
    without = job()
    del without["Output"]
    assert ids(check({"A": without})) == {"whole[A]"}
    assert ids(check({"A": job(Output="{% $states.result.ProcessingJobName %}")})) == set()


def test_a_field_without_a_known_size_is_found_where_it_is_used() -> None:
    states = {"A": job(Output={"d": "{% $states.result.ProcessingInputs %}"}, Assign={"x": "{% $y %}"})}
    assert ids(check(states)) == {"unbounded[A/output]", "unbounded[A/assign]"}


def test_an_apis_answer_has_the_fields_of_its_model() -> None:
    look = {
        **job(),
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint",
        "Arguments": {"EndpointName": "e"},
    }
    asked = {"s": "{% $states.result.EndpointStatus %}", "v": "{% $states.result.ProductionVariants[0].VariantName %}"}
    collector = check({"A": {**look, "Output": asked}})
    assert ids(collector) == set()
    assert ids(check({"A": {**look, "Output": {"s": "{% $states.result.Statuss %}"}}})) == {"unbounded[A/output]"}


def test_a_function_whose_answer_nobody_limits_is_found() -> None:
    assert ids(check({"A": function("${StrangeFunctionArn}")})) == {"unbounded[A/result]"}


def test_two_variables_that_fit_one_by_one_do_not_fit_into_one_assign() -> None:
    plan = function("${PrepareRunFunctionArn}")
    one = {"Assign": {"p": "{% $states.result.Payload %}"}}
    assert ids(check({"A": {**plan, **one}})) == set()
    both = {"Assign": {"p": "{% $states.result.Payload %}", "q": "{% $states.result.Payload %}"}}
    assert ids(check({"A": {**plan, **both}})) == {"size[A/assign]"}


def test_an_output_that_adds_up_is_found_and_told() -> None:
    big = {f"k{number}": "{% $states.errorOutput.Cause %}" for number in range(3)}
    state = job(Catch=[{"ErrorEquals": ["States.ALL"], "Output": big, "Next": "B"}])
    collector = check({"A": state, "B": END})
    ((finding),) = collector.findings
    assert finding.id == "size[A/output after an error]"
    assert f"may have {2 + 3 * (2 + 4 + CAUSE)} bytes; an execution ends at 262144." in finding.message
    (measure,) = collector.measures
    assert str(measure) == (
        f"x/Machine: payload, at most (A's output after an error): {2 + 3 * (2 + 4 + CAUSE):,} of 262,144 bytes"
    )


def test_a_variable_that_grows_with_each_round_is_found() -> None:
    grow = {"Type": "Pass", "Assign": {"text": "{% $text & 'x' %}"}, "Next": "A"}
    assert ids(check({"A": {"Type": "Pass", "Assign": {"text": "x"}, "Next": "B"}, "B": grow})) == {"growing"}


def test_a_counter_does_not_grow() -> None:
    count = {"Type": "Wait", "Seconds": 1, "Assign": {"n": "{% $n + 1 %}"}, "Next": "A"}
    assert ids(check({"A": {"Type": "Pass", "Assign": {"n": 0}, "Next": "B"}, "B": count})) == set()


def test_every_function_has_a_limit() -> None:
    from modelwright.workflow.functions import FUNCTIONS  # noqa: PLC0415 # what is compared

    assert set(ANSWERS) == {item.name for item in FUNCTIONS}
