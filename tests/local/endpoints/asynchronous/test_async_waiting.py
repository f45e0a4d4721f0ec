"""Requests that wait for an asynchronous endpoint: for a machine, through an update, too long."""

from __future__ import annotations

import json
import threading

from async_endpoint import async_config, content, invoke, scaled, serving, settled, told, total

DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def test_without_an_instance_requests_wait_for_one(waiting, cloud):
    endpoint = serving(waiting)
    scaled(waiting, endpoint, 0)
    answers = [invoke(waiting, endpoint) for _ in range(3)]
    settled(cloud)
    assert [content(cloud, each["OutputLocation"]) for each in answers] == [None] * 3
    scaled(waiting, endpoint, 1)
    settled(cloud)
    assert None not in [content(cloud, each["OutputLocation"]) for each in answers]


def test_a_machine_that_is_being_taken_away_gets_no_request(waiting, cloud):
    """It is in the plan until it has ended what it has; whoever asks then waits for another one."""
    endpoint = serving(waiting)
    fleet = cloud.services["sagemaker"].endpoints.traffic(endpoint).fleet
    held = fleet.take("v0")
    nothing = [{"VariantName": "v0", "DesiredInstanceCount": 0}]
    waiting.client.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=nothing)
    assert until(lambda: fleet.count("v0") == 0)
    answer = invoke(waiting, endpoint)
    settled(cloud)
    fleet.give_back(held)
    assert waiting.settled(endpoint)["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    assert content(cloud, answer["FailureLocation"]) is None
    scaled(waiting, endpoint, 1)
    settled(cloud)
    assert json.loads(content(cloud, answer["OutputLocation"])) == [3.0]


def test_what_waits_for_too_long_expires(waiting, cloud, clock, topics):
    endpoint = serving(waiting, async_config(topics))
    scaled(waiting, endpoint, 0)
    answer = invoke(waiting, endpoint, RequestTTLSeconds=60)
    clock.advance(seconds=61)
    cloud.services["sagemaker"].endpoints.queue.look()
    settled(cloud)
    assert b"waited for more than 60 s" in content(cloud, answer["FailureLocation"])
    assert told(cloud, topics["ErrorTopic"])[-1]["inferenceId"] == answer["InferenceId"]
    assert total(cloud, endpoint, "ExpiredRequests", VariantName="v0") == 1


def test_an_update_loses_no_request(waiting, cloud):
    endpoint = serving(waiting)
    answers = [invoke(waiting, endpoint) for _ in range(10)]
    name = waiting.model(factor=10)
    variant = {"VariantName": "v0", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    waiting.client.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant], AsyncInferenceConfig=async_config()
    )
    waiting.client.update_endpoint(EndpointName=endpoint, EndpointConfigName=name)
    answers += [invoke(waiting, endpoint) for _ in range(10)]
    assert waiting.settled(endpoint)["EndpointConfigName"] == name
    answers.append(invoke(waiting, endpoint))
    settled(cloud)
    found = [json.loads(content(cloud, each["OutputLocation"])) for each in answers]
    assert (len(found), found[-1]) == (21, [30.0])
    assert {each[0] for each in found} <= {3.0, 30.0}


def test_requests_that_wait_for_a_deleted_endpoint_are_forgotten(waiting, cloud):
    endpoint = serving(waiting)
    scaled(waiting, endpoint, 0)
    answer = invoke(waiting, endpoint)
    waiting.client.delete_endpoint(EndpointName=endpoint)
    settled(cloud)
    assert cloud.database.all("async-request") == []
    assert content(cloud, answer["OutputLocation"]) is None


def test_an_endpoint_starts_from_zero_when_something_waits_and_goes_back_to_zero(waiting, cloud, clock):
    endpoint, scaling = serving(waiting), cloud.client("application-autoscaling")
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/v0",
        "ScalableDimension": DIMENSION,
    }
    scaling.register_scalable_target(**place, MinCapacity=0, MaxCapacity=2)
    backlog = {
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
        "Statistic": "Average",
    }
    scaling.put_scaling_policy(
        **place,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5.0, "CustomizedMetricSpecification": backlog},
    )
    step = {"AdjustmentType": "ChangeInCapacity", "MetricAggregationType": "Average"}
    arn = scaling.put_scaling_policy(
        **place,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            **step,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    )["PolicyARN"]
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{endpoint}-from-zero",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        AlarmActions=[arn],
    )
    minutes(cloud, clock, 20)
    assert instances(waiting, endpoint) == 0
    answer = invoke(waiting, endpoint)
    minutes(cloud, clock, 4)
    assert instances(waiting, endpoint) == 1
    settled(cloud)
    assert json.loads(content(cloud, answer["OutputLocation"])) == [3.0]
    minutes(cloud, clock, 20)
    assert instances(waiting, endpoint) == 0


def until(condition):
    return any(condition() or pause.wait(0.01) for pause in [threading.Event()] for _ in range(12_000))


def minutes(cloud, clock, count):
    for _ in range(count):
        clock.advance(minutes=1)
        cloud.services["sagemaker"].endpoints.queue.look()
        cloud.services["sagemaker-runtime"].flush()
        cloud.services["application-autoscaling"].flush()


def instances(hosting, endpoint):
    return hosting.settled(endpoint)["ProductionVariants"][0]["CurrentInstanceCount"]
