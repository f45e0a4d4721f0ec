"""Requests and configurations that are none of an asynchronous endpoint."""

from __future__ import annotations

import pytest
from async_endpoint import async_config, serving
from botocore.exceptions import ClientError


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
