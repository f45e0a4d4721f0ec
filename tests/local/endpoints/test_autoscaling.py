"""Instances of a variant that come and go with real requests, by the alarms that target tracking makes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from skewed_clock import SkewedClock

from modelwright.local.cloud import Cloud

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
LINKED_ROLE = (
    "arn:aws:iam::123456789012:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
SERVICES = {
    "application-autoscaling": "modelwright.local.autoscaling.service:ApplicationAutoScaling",
    "sns": "modelwright.local.messages.topics:Topics",
}
TRACKED = 10.0
ACCOUNT = "arn:aws:{}:us-east-1:123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def clock():
    return SkewedClock()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory, clock, services, prepare):
    made = Cloud(tmp_path_factory.mktemp("cloud"), "us-east-1", services=services | SERVICES, clock=clock)
    made.start()
    prepare(made)
    yield made
    made.stop()


def serving(hosting, count=1, instance="ml.m5.large", **model):
    name = hosting.model(**model)
    variant = {"VariantName": "v0", "ModelName": name, "InstanceType": instance, "InitialInstanceCount": count}
    hosting.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    endpoint = hosting.endpoint(name)
    assert hosting.settled(endpoint)["EndpointStatus"] == "InService"
    return endpoint


def place(endpoint):
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/v0",
        "ScalableDimension": DIMENSION,
    }


def tracking(**more):
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    return {"TargetValue": TRACKED, **metric, "ScaleInCooldown": 300, "ScaleOutCooldown": 60, **more}


@pytest.fixture
def scaling(cloud):
    return cloud.client("application-autoscaling")


@pytest.fixture
def flushed(cloud):
    def flush():
        cloud.services["sagemaker-runtime"].flush()
        cloud.services["cloudwatch"].evaluate()
        cloud.services["application-autoscaling"].flush()

    return flush


def registered(scaling, endpoint, least=1, most=4, **more):
    scaling.register_scalable_target(**place(endpoint), MinCapacity=least, MaxCapacity=most)
    return scaling.put_scaling_policy(
        **place(endpoint),
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking(**more),
    )


def instances(hosting, endpoint):
    (variant,) = hosting.settled(endpoint)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"]
    return variant["CurrentInstanceCount"]


def minutes_of(hosting, clock, endpoint, requests, minutes):
    for _ in range(minutes):
        for _ in range(requests):
            hosting.ask(endpoint)
        hosting.cloud.services["sagemaker-runtime"].flush()
        clock.advance(minutes=1)


def test_what_was_put_is_described(hosting, scaling, cloud):
    endpoint = serving(hosting)
    made = registered(scaling, endpoint)
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[place(endpoint)["ResourceId"]]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"], target["RoleARN"]) == (1, 4, LINKED_ROLE)
    (policy,) = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=place(endpoint)["ResourceId"]
    )["ScalingPolicies"]
    assert (policy["PolicyARN"], policy["TargetTrackingScalingPolicyConfiguration"]) == (made["PolicyARN"], tracking())
    names = [alarm["AlarmName"] for alarm in made["Alarms"]]
    found = {a["AlarmName"]: a for a in cloud.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]}
    high, low = (found[name] for name in names)
    assert names[0].startswith(f"TargetTracking-endpoint/{endpoint}/variant/v0-AlarmHigh-")
    assert (high["Threshold"], high["EvaluationPeriods"], high["AlarmActions"]) == (10.0, 3, [made["PolicyARN"]])
    assert (low["Threshold"], low["EvaluationPeriods"]) == (9.0, 15)
    again = registered(scaling, endpoint, DisableScaleIn=True)
    assert (again["PolicyARN"], len(again["Alarms"])) == (made["PolicyARN"], 1)


def test_instances_come_with_the_load_and_go_after_it(hosting, scaling, clock, flushed):
    endpoint = serving(hosting)
    registered(scaling, endpoint)
    minutes_of(hosting, clock, endpoint, 22, 3)
    flushed()
    assert instances(hosting, endpoint) == 3
    (activity,) = activities(scaling, endpoint)
    assert (activity["StatusCode"], activity["Description"]) == ("Successful", "Setting desired instance count to 3.")
    assert "AlarmHigh" in activity["Cause"]
    minutes_of(hosting, clock, endpoint, 3, 16)
    flushed()
    assert instances(hosting, endpoint) == 1
    assert "AlarmLow" in activities(scaling, endpoint)[0]["Cause"]


def test_without_any_data_nothing_goes(hosting, scaling, clock, flushed):
    endpoint = serving(hosting, 2)
    registered(scaling, endpoint)
    for _ in range(20):
        clock.advance(minutes=1)
        flushed()
    assert (instances(hosting, endpoint), activities(scaling, endpoint)) == (2, [])


def test_the_most_is_the_most_and_a_suspended_target_stays(hosting, scaling, clock, flushed):
    endpoint = serving(hosting)
    registered(scaling, endpoint, most=2)
    state = {"DynamicScalingOutSuspended": True}
    scaling.register_scalable_target(**place(endpoint), SuspendedState=state)
    minutes_of(hosting, clock, endpoint, 50, 3)
    flushed()
    assert instances(hosting, endpoint) == 1
    scaling.register_scalable_target(**place(endpoint), SuspendedState={"DynamicScalingOutSuspended": False})
    minutes_of(hosting, clock, endpoint, 50, 1)
    flushed()
    assert instances(hosting, endpoint) == 2


def test_registering_brings_the_number_between_its_limits(hosting, scaling, flushed):
    endpoint = serving(hosting)
    scaling.register_scalable_target(**place(endpoint), MinCapacity=2, MaxCapacity=3)
    flushed()
    assert instances(hosting, endpoint) == 2
    assert activities(scaling, endpoint)[0]["Cause"] == "minimum capacity was set to 2"


def test_limits_that_an_endpoint_is_too_busy_for_hold_when_a_policy_is_next_asked(hosting, scaling, clock, flushed):
    """One that is "not active": API_RegisterScalableTarget.html of Application Auto Scaling's reference."""
    endpoint = serving(hosting)
    name = hosting.model(factor=2)
    variant = {"VariantName": "v0", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    hosting.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    with hosting.cloud.services["sagemaker"].endpoints.traffic(endpoint).starting:  # the update waits for it
        hosting.client.update_endpoint(EndpointName=endpoint, EndpointConfigName=name)
        registered(scaling, endpoint, least=2)
        flushed()
    assert instances(hosting, endpoint) == 1
    minutes_of(hosting, clock, endpoint, 11, 3)
    flushed()
    assert instances(hosting, endpoint) == 2
    assert activities(scaling, endpoint)[0]["Cause"] == "minimum capacity was set to 2"


def activities(scaling, endpoint):
    return scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=place(endpoint)["ResourceId"])[
        "ScalingActivities"
    ]


def refused(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]


def test_what_cannot_scale_is_refused(hosting, scaling):
    burstable = serving(hosting, instance="ml.t2.medium")
    error = refused(scaling.register_scalable_target, **place(burstable), MinCapacity=1, MaxCapacity=2)
    assert (error["Code"], "burstable instances such as ml.t2.medium" in error["Message"]) == (
        "ValidationException",
        True,
    )
    endpoint = serving(hosting)
    error = refused(scaling.register_scalable_target, **place(endpoint), MinCapacity=0, MaxCapacity=2)
    assert "only an asynchronous endpoint scales to zero" in error["Message"]
    error = refused(scaling.register_scalable_target, **place(endpoint), MinCapacity=3, MaxCapacity=2)
    assert "Maximum capacity cannot be less than minimum capacity" in error["Message"]
    error = refused(scaling.register_scalable_target, **place("nobody"), MinCapacity=1, MaxCapacity=2)
    assert "There is no variant v0 of an endpoint nobody" in error["Message"]
    error = refused(registered, scaling=scaling, endpoint="nobody")
    assert error["Code"] == "ValidationException"
    error = refused(scaling.deregister_scalable_target, **place(endpoint))
    assert error["Code"] == "ObjectNotFoundException"
    policy = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    wanted = {"TargetTrackingScalingPolicyConfiguration": tracking()}
    error = refused(scaling.put_scaling_policy, **place(endpoint), **policy, **wanted)
    assert error["Code"] == "ObjectNotFoundException"


def test_another_instance_type_needs_deregistration_another_model_does_not(hosting, scaling):
    endpoint = serving(hosting)
    registered(scaling, endpoint)
    for instance, is_refused in (("ml.m5.xlarge", True), ("ml.m5.large", False)):
        name = hosting.model(factor=2)
        variant = {"VariantName": "v0", "ModelName": name, "InstanceType": instance, "InitialInstanceCount": 1}
        hosting.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        update = {"EndpointName": endpoint, "EndpointConfigName": name}
        if is_refused:
            error = refused(hosting.client.update_endpoint, **update)
            assert "must be deregistered as scalable targets" in error["Message"]
        else:
            hosting.client.update_endpoint(**update)
            assert hosting.settled(endpoint)["EndpointConfigName"] == name


def test_a_deleted_endpoint_scales_no_more_if_the_caller_may(hosting, scaling, cloud):
    endpoint = serving(hosting)
    names = [alarm["AlarmName"] for alarm in registered(scaling, endpoint)["Alarms"]]
    deletes = {"Effect": "Allow", "Action": ["sagemaker:DeleteEndpoint"], "Resource": "*"}
    role = "arn:aws:iam::123456789012:role/deleter"
    cloud.iam.put_role(role, TRUST, {"p": {"Version": "2012-10-17", "Statement": [deletes]}})
    error = refused(cloud.client("sagemaker", role).delete_endpoint, EndpointName=endpoint)
    assert "does not have application-autoscaling:DeregisterScalableTarget permission" in error["Message"]
    assert hosting.settled(endpoint)["EndpointStatus"] == "InService"
    deletes["Action"].append("application-autoscaling:DeregisterScalableTarget")
    cloud.iam.put_role(role, TRUST, {"p": {"Version": "2012-10-17", "Statement": [deletes]}})
    cloud.client("sagemaker", role).delete_endpoint(EndpointName=endpoint)
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert place(endpoint)["ResourceId"] not in {target["ResourceId"] for target in found}
    assert cloud.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] == []


def test_an_endpoint_that_is_being_deleted_takes_no_target(hosting, scaling):
    """It would be there for the next endpoint of that name."""
    endpoint = serving(hosting)
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(endpoint).fleet
    held = fleet.take(None)
    hosting.client.delete_endpoint(EndpointName=endpoint)
    error = refused(scaling.register_scalable_target, **place(endpoint), MinCapacity=1, MaxCapacity=2)
    fleet.give_back(held)
    assert "There is no variant" in error["Message"]


NEEDED = [
    ("application-autoscaling:RegisterScalableTarget", "application-autoscaling", "scalable-target/*"),
    ("application-autoscaling:PutScalingPolicy", "application-autoscaling", "scalable-target/*"),
    ("sagemaker:DescribeEndpoint", "sagemaker", "endpoint/*"),
    ("sagemaker:DescribeEndpointConfig", "sagemaker", "endpoint-config/*"),
    ("sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker", "endpoint/*"),
    ("cloudwatch:PutMetricAlarm", "cloudwatch", "alarm:TargetTracking-endpoint/*"),
    ("cloudwatch:DescribeAlarms", "cloudwatch", "alarm:TargetTracking-endpoint/*"),
]


def test_who_lets_an_endpoint_scale_needs_each_of_these(hosting, cloud):
    endpoint, role = serving(hosting), "arn:aws:iam::123456789012:role/scaler"

    def with_(needed):
        statements = []
        for action, service, resource in needed:
            arn = resource if resource.startswith("arn:") else f"{ACCOUNT.format(service)}:{resource}"
            statement = {"Effect": "Allow", "Action": action, "Resource": arn}
            if service == "application-autoscaling":
                key = "application-autoscaling:service-namespace"
                statement["Condition"] = {"StringEquals": {key: "sagemaker"}}
            statements.append(statement)
        cloud.iam.put_role(role, TRUST, {"p": {"Version": "2012-10-17", "Statement": statements}})
        registered(cloud.client("application-autoscaling", role), endpoint)

    with_(NEEDED)
    for action, _, _ in NEEDED:
        error = refused(with_, needed=[each for each in NEEDED if each[0] != action])
        assert ("AccessDenied" in error["Code"], action in error["Message"]) == (True, True), error
    cloud.database.delete("service-linked-role", LINKED_ROLE)
    assert "iam:CreateServiceLinkedRole" in refused(with_, needed=NEEDED)["Message"]
    with_([*NEEDED, ("iam:CreateServiceLinkedRole", "iam", LINKED_ROLE)])
