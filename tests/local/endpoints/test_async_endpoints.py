"""Asynchronous endpoints: a queue, answers in S3, topics that are told, machines from zero."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from skewed_clock import SkewedClock

from modelwright.local.cloud import Cloud

BUCKET = "models"
SERVICES = {
    "application-autoscaling": "modelwright.local.autoscaling.service:ApplicationAutoScaling",
    "sns": "modelwright.local.messages.topics:Topics",
}
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
RAISES = """
def model_fn(d): return None
def predict_fn(data, model): raise RuntimeError("broken")
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
WORK = [
    ("Out", ["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/async/*"),
    ("Tell", ["sns:Publish"], "arn:aws:sns:us-east-1:123456789012:*"),
]


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


@pytest.fixture
def waiting(hosting, worker_role):
    """A hosting whose role may do an asynchronous endpoint's work."""
    return worker_role(hosting)


@pytest.fixture
def worker_role(hosting_on, grants):
    def make(hosting, without=""):
        role = f"arn:aws:iam::123456789012:role/worker{'-without-' + without if without else ''}"
        statements = [
            {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
            for sid, (actions, resource) in (grants | {sid: (actions, arn) for sid, actions, arn in WORK}).items()
            if sid != without
        ]
        hosting.cloud.iam.put_role(role, TRUST, {"p": {"Version": "2012-10-17", "Statement": statements}})
        return hosting_on(hosting.cloud, role)

    return make


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
    assert cloud.services["sagemaker"].endpoints.queue.settled(30)
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


@pytest.fixture
def topics(cloud):
    client = cloud.client("sns")
    return {f"{kind}Topic": client.create_topic(Name=kind.lower())["TopicArn"] for kind in ("Success", "Error")}


def told(cloud, topic):
    return [json.loads(each["message"]) for each in cloud.services["sns"].messages() if each["topic"] == topic]


def test_an_answer_lies_where_it_was_said_and_the_topic_is_told(waiting, cloud, topics):
    endpoint = serving(waiting, async_config(topics), factor=2)
    answer = invoke(waiting, endpoint, InferenceId="mine", CustomAttributes="a=1")
    assert (answer["InferenceId"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("mine", 202)
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/async/output/")
    assert answer["FailureLocation"].startswith(f"s3://{BUCKET}/async/failure/")
    assert (answer["OutputLocation"][-4:], answer["FailureLocation"][-10:]) == (".out", "-error.out")
    settled(cloud)
    assert json.loads(content(cloud, answer["OutputLocation"])) == [6.0]
    assert content(cloud, answer["FailureLocation"]) is None
    message = told(cloud, topics["SuccessTopic"])[-1]
    times = [message.pop("eventTime"), message.pop("receivedTime")]
    assert times == sorted(times, reverse=True)
    assert message == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "application/json",
            "contentType": "text/csv",
            "customAttributes": "a=1",
            "endpointName": endpoint,
            "inputLocation": f"s3://{BUCKET}/async/input/rows.csv",
        },
        "responseParameters": {"contentType": "application/json", "outputLocation": answer["OutputLocation"]},
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    assert total(cloud, endpoint, "InvocationsProcessed", VariantName="v0") == 1
    assert total(cloud, endpoint, "ModelLatency", "SampleCount", VariantName="v0") == 1
    assert total(cloud, endpoint, "Invocations", "SampleCount", VariantName="v0") == 0, "AWS has none of these"
    described = waiting.client.describe_endpoint(EndpointName=endpoint)
    assert described["AsyncInferenceConfig"] == async_config(topics)


def test_a_failure_has_the_models_own_words_and_another_topic(waiting, cloud, topics):
    included = {**topics, "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"]}
    endpoint = serving(waiting, async_config(included), script=RAISES)
    answer = invoke(waiting, endpoint)
    settled(cloud)
    assert content(cloud, answer["OutputLocation"]) is None
    found = content(cloud, answer["FailureLocation"])
    assert b"broken" in found
    message = told(cloud, topics["ErrorTopic"])[-1]
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"].startswith("ClientError: Received server error (500) from model.")
    assert message["responseBody"] == {"content": found.decode(), "encoding": "UTF-8"}
    assert total(cloud, endpoint, "Invocation5XXErrors", VariantName="v0") == 1
    assert total(cloud, endpoint, "InvocationFailures", VariantName="v0") == 1


def test_an_input_that_is_not_there_is_a_failure_with_its_name(waiting, cloud, topics):
    endpoint = serving(waiting, async_config(topics))
    answer = invoke(waiting, endpoint, InputLocation=f"s3://{BUCKET}/async/nothing.csv")
    settled(cloud)
    assert b"async/nothing.csv" in content(cloud, answer["FailureLocation"])
    assert "async/nothing.csv" in told(cloud, topics["ErrorTopic"])[-1]["failureReason"]
    assert total(cloud, endpoint, "RequestDownloadFailures", VariantName="v0") == 1


@pytest.mark.parametrize(("grant", "metric"), [("Out", "ResponseUploadFailures"), ("Tell", "NotificationFailures")])
def test_what_the_role_may_not_do_is_counted(hosting, topics, worker_role, grant, metric):
    cloud, weak = hosting.cloud, worker_role(hosting, grant)
    endpoint = serving(weak, async_config(topics))
    invoke(weak, endpoint)
    settled(cloud)
    assert total(cloud, endpoint, metric, VariantName="v0") == 1


def test_what_is_no_asynchronous_request_is_refused(waiting, hosting, cloud):
    endpoint = serving(waiting)
    client = cloud.client("sagemaker-runtime")
    for call, params, said in [
        (client.invoke_endpoint, {"EndpointName": endpoint, "Body": b"1"}, "use InvokeEndpointAsync"),
        (client.invoke_endpoint_async, {"EndpointName": "nobody", "InputLocation": "s3://b/k"}, "not found"),
        (
            client.invoke_endpoint_async,
            {"EndpointName": endpoint, "InputLocation": "s3://b"},
            "must be s3://bucket/key",
        ),
        (
            client.invoke_endpoint_async,
            {"EndpointName": hosting.in_service(), "InputLocation": "s3://b/k"},
            "is not asynchronous; use InvokeEndpoint",
        ),
        (
            client.invoke_endpoint_async,
            {"EndpointName": endpoint, "InputLocation": "s3://b/k", "RequestTTLSeconds": 30000},
            "less than or equal to 21600",
        ),
    ]:
        with pytest.raises(ClientError) as caught:
            call(**params)
        error = caught.value.response["Error"]
        assert (error["Code"], said in error["Message"]) == ("ValidationError", True), error


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"OutputConfig": {}}, "needs an S3OutputPath"),
        ({"OutputConfig": {"S3OutputPath": "https://b/k"}}, "takes s3://bucket/prefix"),
        (
            async_config({"IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}),
            "there is no SuccessTopic",
        ),
    ],
)
def test_configurations_that_cannot_be_are_refused(waiting, config, said):
    with pytest.raises(ClientError) as caught:
        serving(waiting, config)
    assert said in caught.value.response["Error"]["Message"]


def scaled(hosting, endpoint, count):
    hosting.client.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": count}]
    )
    assert hosting.settled(endpoint)["ProductionVariants"][0]["CurrentInstanceCount"] == count


def test_without_an_instance_requests_wait_for_one(waiting, cloud):
    endpoint = serving(waiting)
    scaled(waiting, endpoint, 0)
    answers = [invoke(waiting, endpoint) for _ in range(3)]
    settled(cloud)
    assert [content(cloud, each["OutputLocation"]) for each in answers] == [None] * 3
    scaled(waiting, endpoint, 1)
    settled(cloud)
    assert None not in [content(cloud, each["OutputLocation"]) for each in answers]


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


def minutes(cloud, clock, count):
    for _ in range(count):
        clock.advance(minutes=1)
        cloud.services["sagemaker"].endpoints.queue.look()
        cloud.services["sagemaker-runtime"].flush()
        cloud.services["application-autoscaling"].flush()


def instances(hosting, endpoint):
    return hosting.settled(endpoint)["ProductionVariants"][0]["CurrentInstanceCount"]


def test_requests_that_wait_for_a_deleted_endpoint_are_forgotten(waiting, cloud):
    endpoint = serving(waiting)
    scaled(waiting, endpoint, 0)
    answer = invoke(waiting, endpoint)
    waiting.client.delete_endpoint(EndpointName=endpoint)
    settled(cloud)
    assert cloud.database.all("async-request") == []
    assert content(cloud, answer["OutputLocation"]) is None
