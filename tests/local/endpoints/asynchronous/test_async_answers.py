"""Asynchronous endpoints: answers and failures lie in S3, topics are told, all is counted."""

from __future__ import annotations

import json

import pytest
from async_endpoint import BUCKET, async_config, content, invoke, serving, settled, told, total

RAISES = """
def model_fn(d): return None
def predict_fn(data, model): raise RuntimeError("broken")
"""


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
