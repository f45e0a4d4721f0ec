"""What scales goes on scaling after a restart of the local cloud."""

from __future__ import annotations

from modelwright.local.cloud import Cloud

SERVICES = {"application-autoscaling": "modelwright.local.autoscaling.service:ApplicationAutoScaling"}


def test_targets_policies_alarms_and_the_role_are_there_again(tmp_path, services, prepare, hosting_on):
    found = []
    for _ in range(2):
        cloud = Cloud(tmp_path / "state", "us-east-1", services=services | SERVICES)
        cloud.start()
        try:
            prepare(cloud)
            hosting, scaling = hosting_on(cloud), cloud.client("application-autoscaling")
            if not found:
                register(hosting, scaling)
            cloud.services["application-autoscaling"].flush()
            (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
            (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
            (activity,) = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
            alarms = cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"]
            names = sorted(alarm["AlarmName"] for alarm in alarms)
            assert names == sorted(alarm["AlarmName"] for alarm in policy["Alarms"])
            found.append((target, policy, activity, names))
            role = cloud.client("sagemaker", target["RoleARN"])
            endpoint = activity["ResourceId"].split("/")[1]
            counts = [
                v["CurrentInstanceCount"] for v in role.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
            ]
            assert counts == [2]
        finally:
            cloud.stop()
    assert found[0] == found[1]


def register(hosting, scaling):
    name = hosting.model()
    variant = {"VariantName": "v0", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    hosting.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    endpoint = hosting.endpoint(name)
    hosting.settled(endpoint)
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/v0",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**place, MinCapacity=2, MaxCapacity=3)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaling.put_scaling_policy(
        **place,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 10.0, "PredefinedMetricSpecification": metric},
    )
