"""Machines of an asynchronous endpoint that come for what waits, whatever happened shortly before."""

from __future__ import annotations

import json

import pytest
from async_endpoint import content, invoke, scaled, serving, settled

PLACE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
BACKLOG = {"MetricName": "ApproximateBacklogSizePerInstance", "Namespace": "AWS/SageMaker", "Statistic": "Average"}


@pytest.fixture
def endpoint(waiting, cloud):
    """One that scales from and to zero, as `lambdas/shared/scaling.py` sets it."""
    name, scaling = serving(waiting), cloud.client("application-autoscaling")
    place, dimensions = resource(name), [{"Name": "EndpointName", "Value": name}]
    scaling.register_scalable_target(**place, MinCapacity=0, MaxCapacity=2)
    scaling.put_scaling_policy(
        **place,
        PolicyName="follow-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": {**BACKLOG, "Dimensions": dimensions},
        },
    )
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    made = scaling.put_scaling_policy(
        **place,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 300,
            "StepAdjustments": steps,
        },
    )
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-from-zero",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[made["PolicyARN"]],
    )
    return name


@pytest.fixture
def rehearsed(cloud, endpoint):
    """While `predict` waits: minutes of three seconds."""
    rehearsals = cloud.services["sagemaker"].endpoints.rehearsals
    rehearsals.begin(endpoint)
    yield rehearsals
    rehearsals.end(endpoint)


def resource(endpoint):
    return {**PLACE, "ResourceId": f"endpoint/{endpoint}/variant/v0"}


def passed(cloud, clock, minutes, seconds=3):
    """So many minutes go by, each of so many seconds."""
    for _ in range(minutes):
        clock.advance(seconds=seconds)
        cloud.services["sagemaker"].endpoints.queue.look()
        cloud.services["sagemaker-runtime"].flush()
        cloud.services["application-autoscaling"].flush()


def instances(hosting, endpoint):
    return hosting.settled(endpoint)["ProductionVariants"][0]["CurrentInstanceCount"]


def test_the_machine_comes_again_soon_after_it_went(waiting, cloud, clock, endpoint, rehearsed):
    scaled(waiting, endpoint, 0)
    answers = [invoke(waiting, endpoint)]
    passed(cloud, clock, 4)
    settled(cloud)
    passed(cloud, clock, 20)
    assert instances(waiting, endpoint) == 0
    answers.append(invoke(waiting, endpoint))
    passed(cloud, clock, 4)
    settled(cloud)
    assert [json.loads(content(cloud, each["OutputLocation"]) or b"[]") for each in answers] == [[3.0], [3.0]]


def test_a_machine_that_somebody_took_away_comes_again_when_it_has_cooled_down(
    waiting, cloud, clock, endpoint, rehearsed
):
    scaled(waiting, endpoint, 0)
    invoke(waiting, endpoint)
    passed(cloud, clock, 4)
    assert instances(waiting, endpoint) == 1
    settled(cloud)
    scaled(waiting, endpoint, 0)
    answer = invoke(waiting, endpoint)
    passed(cloud, clock, 8)
    settled(cloud)
    assert json.loads(content(cloud, answer["OutputLocation"]) or b"[]") == [3.0]


def test_quiet_minutes_do_not_turn_into_many_when_minutes_become_shorter(waiting, cloud, clock, endpoint):
    passed(cloud, clock, 2, seconds=60)
    clock.advance(seconds=43)  # as many as 15 minutes of three seconds; nothing is reported in them
    rehearsals = cloud.services["sagemaker"].endpoints.rehearsals
    rehearsals.begin(endpoint)
    try:
        passed(cloud, clock, 1)
        assert instances(waiting, endpoint) == 1
    finally:
        rehearsals.end(endpoint)
