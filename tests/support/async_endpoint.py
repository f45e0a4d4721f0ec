"""What tests of asynchronous endpoints do: endpoints that serve, requests, what came of them."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

BUCKET = "models"


def async_config(topics=None, **more):
    output = {"S3OutputPath": f"s3://{BUCKET}/async/output", "S3FailurePath": f"s3://{BUCKET}/async/failure/"}
    return {"OutputConfig": {**output, **({"NotificationConfig": topics} if topics else {})}, **more}


def serving(hosting, config=None, count=1, **model):
    name = hosting.model(**model)
    variant = {"VariantName": "v0", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    hosting.client.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant], AsyncInferenceConfig=config or async_config()
    )
    endpoint = hosting.endpoint(name)
    found = hosting.settled(endpoint)
    assert found["EndpointStatus"] == "InService", found.get("FailureReason")
    return endpoint


def uploaded(cloud, body=b"1,2\n", key="async/input/rows.csv"):
    cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def invoke(hosting, endpoint, **more):
    request = {
        "ContentType": "text/csv",
        "Accept": "application/json",
        "InputLocation": uploaded(hosting.cloud),
        **more,
    }
    return hosting.cloud.client("sagemaker-runtime").invoke_endpoint_async(EndpointName=endpoint, **request)


def settled(cloud):
    assert cloud.services["sagemaker"].endpoints.queue.settled(120)
    cloud.services["sagemaker-runtime"].flush()


def content(cloud, uri):
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        return cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError:
        return None


def total(cloud, endpoint, name, statistic="Sum", **dimensions):
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": k, "Value": v} for k, v in {"EndpointName": endpoint, **dimensions}.items()],
        StartTime=cloud.clock.time() - 86400,
        EndTime=cloud.clock.time() + 60,
        Period=86400 * 2,
        Statistics=[statistic],
    )["Datapoints"]
    return sum(point[statistic] for point in found)


def told(cloud, topic):
    return [json.loads(each["message"]) for each in cloud.services["sns"].messages() if each["topic"] == topic]


def scaled(hosting, endpoint, count):
    hosting.client.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": count}]
    )
    assert hosting.settled(endpoint)["ProductionVariants"][0]["CurrentInstanceCount"] == count
