"""What SageMaker refuses of a DeploymentConfig, all at once, and what it lets an update do."""

from __future__ import annotations

from itertools import pairwise

import pytest

from modelwright.local.sagemaker.endpoints.deployment_rules import check_deployment, steps, wait_interval
from modelwright.local.service import AwsError


def config(*counts, **more):
    return {
        "ProductionVariants": [
            {"VariantName": f"v{number}", "InstanceType": "ml.m5.large", "InitialInstanceCount": count, **more}
            for number, count in enumerate(counts)
        ]
    }


def blue_green(kind, wait=300, **size):
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


def rolling(size, back=None, wait=300):
    more = {} if back is None else {"RollbackMaximumBatchSize": back}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}}


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def machines(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


def refusal(deployment, configuration, serving=()):
    with pytest.raises(AwsError) as caught:
        check_deployment({"DeploymentConfig": deployment}, configuration, serving)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("deployment", "counts", "said"),
    [
        (
            blue_green("CANARY", CanarySize=percent(51)),
            (4,),
            "CanarySize is 51 (CAPACITY_PERCENT); it must be at most 50",
        ),
        (
            blue_green("CANARY", CanarySize=machines(3)),
            (5,),
            "CanarySize is 3 (INSTANCE_COUNT); it must be at most 50 %",
        ),
        (blue_green("CANARY", CanarySize=percent(10)), (1,), "CanarySize needs at least 2 instances of v0"),
        (blue_green("CANARY", CanarySize=percent(10)), (2, 1), "CanarySize needs at least 2 instances of v1"),
        (blue_green("CANARY"), (2,), "CanarySize must be given for traffic of Type CANARY."),
        (
            blue_green("LINEAR", LinearStepSize=percent(9)),
            (2,),
            "LinearStepSize is 9 (CAPACITY_PERCENT); it must be 10 to 50",
        ),
        (blue_green("LINEAR", LinearStepSize=percent(60)), (2,), "it must be 10 to 50 % of the 2 instances of v0"),
        (
            blue_green("LINEAR", LinearStepSize=machines(1)),
            (11,),
            "LinearStepSize is 1 (INSTANCE_COUNT); it must be 10 to",
        ),
        (
            blue_green("ALL_AT_ONCE", CanarySize=percent(10)),
            (2,),
            "CanarySize must not be given for traffic of Type ALL_AT",
        ),
        ({}, (2,), "needs either BlueGreenUpdatePolicy or RollingUpdatePolicy; found none."),
        (
            blue_green("ALL_AT_ONCE") | rolling(percent(50)),
            (2,),
            "found BlueGreenUpdatePolicy and RollingUpdatePolicy.",
        ),
        (rolling(percent(51)), (4,), "MaximumBatchSize is 51 (CAPACITY_PERCENT) of 4 instances; it must be 5 to 50 %"),
        (rolling(percent(4)), (40,), "MaximumBatchSize is 4 (CAPACITY_PERCENT) of 40 instances; it must be 5 to 50 %"),
        (rolling(machines(1)), (1,), "MaximumBatchSize is 1 (INSTANCE_COUNT) of 1 instance; it must be 5 to 50 %"),
        (rolling(percent(50)), (1,), "MaximumBatchSize is 50 (CAPACITY_PERCENT) of 1 instance; it must be 5 to 50 %"),
        (rolling(machines(2), back=machines(5)), (4,), "RollbackMaximumBatchSize is 5 (INSTANCE_COUNT) of 4 instances"),
        (rolling(percent(50)), (2, 2), "RollingUpdatePolicy is for endpoints with one variant; found 2."),
    ],
)
def test_what_is_refused_says_what_was_found_and_what_is_allowed(deployment, counts, said):
    assert said in refusal(deployment, config(*counts))


def test_everything_wrong_is_said_at_once():
    wrong = blue_green("CANARY", LinearStepSize=percent(10), CanarySize=percent(99))
    said = refusal(wrong, config(2), ["before"])
    for part in ("CanarySize is 99", "LinearStepSize must not be given", "the variants of the one that serves: before"):
        assert part in said


def test_a_serverless_endpoint_has_no_guardrails():
    serverless = {"ProductionVariants": [{"VariantName": "v0", "ServerlessConfig": {"MemorySizeInMB": 1024}}]}
    assert "a serverless one has none" in refusal(blue_green("ALL_AT_ONCE"), serverless)


def test_variants_may_change_without_guardrails_only():
    check_deployment({}, config(1), ["before"])
    assert "it has v0" in refusal(blue_green("ALL_AT_ONCE"), config(1), ["before"])


def test_with_inferentia_everything_moves_at_once_and_nothing_bakes():
    old = config(4, InstanceType="ml.inf1.xlarge")
    deployment = blue_green("CANARY", CanarySize=percent(25))
    assert (steps(deployment, old), wait_interval(deployment, old)) == ([1.0], 0.0)
    new = config(4)
    assert (steps(deployment, new), wait_interval(deployment, new)) == ([0.25, 1.0], 300.0)


@pytest.mark.parametrize("size", [percent(10), percent(33), percent(50), machines(1), machines(3)])
def test_linear_steps_grow_to_everything(size):
    shares = steps(blue_green("LINEAR", LinearStepSize=size), config(6, 6))
    assert all(before < after for before, after in pairwise(shares))
    assert shares[-1] == 1.0
