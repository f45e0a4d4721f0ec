"""Data capture: what lies in S3 after real requests, in the format that SageMaker documents."""

from __future__ import annotations

import base64
import json
import re

import pytest
from botocore.exceptions import ClientError

BUCKET = "models"
DOCUMENTED = json.loads(
    """{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",
"data":"69,0,153.7,109\\n","encoding":"CSV"},
"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT","data":"0.0254181120544672",
"encoding":"CSV"}},
"eventMetadata":{"eventId":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","inferenceTime":"2022-02-14T17:25:49Z"},
"eventVersion":"0"}"""
)
"""the sample of https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html, shortened"""
ECHO = """
def model_fn(d): return lambda x: x
def input_fn(body, content_type): return body
def output_fn(prediction, accept): return prediction, accept
"""
TEXTS = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def capture(**more):
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured/penguins",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": TEXTS,
        **more,
    }


def captured(hosting, **more):
    config = hosting.variants({"ModelName": hosting.model(script=ECHO)}, DataCaptureConfig=capture(**more))
    return hosting.served(config)


def objects(hosting, name, variant="v0"):
    hosting.cloud.services["sagemaker-runtime"].flush()
    prefix = f"captured/penguins/{name}/{variant}/"
    return [(each.key, each.path.read_bytes()) for each in hosting.cloud.s3.list(BUCKET, prefix)]


def lines(hosting, name, variant="v0"):
    return [json.loads(line) for _, body in objects(hosting, name, variant) for line in body.decode().splitlines()]


def invoke(hosting, name, body=b"1,2\n", **more):
    arguments = {"ContentType": "text/csv", "Accept": "text/csv", **more}
    client = hosting.cloud.client("sagemaker-runtime")
    return client.invoke_endpoint(EndpointName=name, Body=body, **arguments)["Body"].read()


def shape(value):
    """What a document is made of: keys in their order, and the kinds of values."""
    return [(key, shape(each)) for key, each in value.items()] if isinstance(value, dict) else type(value)


def test_a_line_is_as_sagemaker_documents_it(hosting):
    name = captured(hosting)
    invoke(hosting, name)
    (line,) = lines(hosting, name)
    assert shape(line) == shape(DOCUMENTED)
    assert line["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n", "encoding": "CSV"
    }  # fmt: skip
    assert line["captureData"]["endpointOutput"]["mode"] == "OUTPUT"
    for key, pattern in (("eventId", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
                         ("inferenceTime", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")):  # fmt: skip
        for found in (line, DOCUMENTED):
            assert re.fullmatch(pattern, found["eventMetadata"][key])
    assert (line["eventVersion"], DOCUMENTED["eventVersion"]) == ("0", "0")


def test_a_file_is_named_by_endpoint_variant_hour_and_time(hosting):
    name = captured(hosting)
    for _ in range(3):
        invoke(hosting, name)
    ((key, body),) = objects(hosting, name)
    pattern = rf"captured/penguins/{name}/v0/(\d{{4}}/\d\d/\d\d/\d\d)/(\d\d-\d\d)-\d{{3}}-[0-9a-f-]{{36}}\.jsonl"
    found = re.fullmatch(pattern, key)
    assert found, key
    first = json.loads(body.splitlines()[0])["eventMetadata"]["inferenceTime"]
    assert first == f"{found[1][:10].replace('/', '-')}T{found[1][-2:]}:{found[2].replace('-', ':')}Z"
    assert (len(body.splitlines()), body.endswith(b"\n")) == (3, True)


@pytest.mark.parametrize(
    ("kind", "body", "headers", "encoding"),
    [
        ("text/csv; charset=utf-8", "Größe,2", TEXTS, "CSV"),
        ("TEXT/CSV", "1,2", TEXTS, "CSV"),
        ("application/json", '{"a":"\\u00e4"}', TEXTS, "JSON"),
        ("application/x-npy", "\x00\x01", TEXTS, "BASE64"),
        ("text/csv", b"\xff\xfe", TEXTS, "BASE64"),
        ("text/csv", "1,2", {"JsonContentTypes": ["text/csv"]}, "JSON"),
        ("text/csv", "1,2", None, "BASE64"),
    ],
)
def test_what_is_text_and_what_is_not_is_said_by_the_header_lists(hosting, kind, body, headers, encoding):
    sent = body if isinstance(body, bytes) else body.encode()
    more = {} if headers is None else {"CaptureContentTypeHeader": headers}
    config = {key: value for key, value in capture().items() if key != "CaptureContentTypeHeader"}
    script = ECHO.replace("return body", "return body if isinstance(body, bytes) else body.encode()")
    if encoding == "BASE64" and isinstance(body, bytes):  # what is no text is a bad request of text/csv: say octets
        script = ECHO
        kind, headers = "application/octet-stream", {"CsvContentTypes": ["application/octet-stream"]}
        more = {"CaptureContentTypeHeader": headers}
    name = hosting.served(
        hosting.variants({"ModelName": hosting.model(script=script)}, DataCaptureConfig={**config, **more})
    )
    invoke(hosting, name, sent, ContentType=kind, Accept="application/json")
    (line,) = lines(hosting, name)
    found = line["captureData"]["endpointInput"]
    assert (found["encoding"], found["observedContentType"]) == (encoding, kind)
    data = found["data"]
    assert (base64.b64decode(data) if encoding == "BASE64" else data.encode()) == sent


def test_only_what_was_asked_for_is_captured(hosting):
    one = captured(hosting, CaptureOptions=[{"CaptureMode": "Input"}])
    other = captured(hosting, CaptureOptions=[{"CaptureMode": "InputAndOutput"}])
    off = captured(hosting, EnableCapture=False)
    none = captured(hosting, InitialSamplingPercentage=0)
    for name in (one, other, off, none):
        invoke(hosting, name)
    assert [list(line["captureData"]) for line in lines(hosting, one)] == [["endpointInput"]]
    assert [list(line["captureData"]) for line in lines(hosting, other)] == [["endpointInput", "endpointOutput"]]
    assert (objects(hosting, off), objects(hosting, none)) == ([], [])


def test_a_share_of_the_requests_is_captured(hosting):
    name = captured(hosting, InitialSamplingPercentage=50)
    for _ in range(60):
        invoke(hosting, name)
    assert 10 <= len(lines(hosting, name)) <= 50, "of 60 requests at 50 %: outside once in 10^7 times"


def test_what_the_caller_says_of_a_request_is_in_its_line(hosting):
    name = captured(hosting)
    invoke(hosting, name, CustomAttributes="trace=7", InferenceId="mine-1")
    (line,) = lines(hosting, name)
    metadata = line["eventMetadata"]
    assert (metadata["customAttributes"], metadata["inferenceId"]) == (["trace=7"], "mine-1")


def test_a_request_that_the_model_refuses_is_not_captured(hosting):
    script = ECHO.replace("return body", "return {}[body]")
    config = hosting.variants({"ModelName": hosting.model(script=script)}, DataCaptureConfig=capture())
    name = hosting.served(config)
    with pytest.raises(ClientError):
        invoke(hosting, name)
    assert objects(hosting, name) == []


def test_a_role_that_may_not_write_answers_all_the_same_and_the_log_says_what_is_lost(role_without):
    hosting = role_without("Capture")
    name = captured(hosting)
    assert invoke(hosting, name) == b"1,2\n"
    assert objects(hosting, name) == []
    assert "1 captured requests are lost: Unable to upload to s3://models/captured/penguins/" in hosting.log(name)


def test_the_key_of_the_captured_data_is_asked_for(hosting, role_without):
    key = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001"
    name = captured(hosting, KmsKeyId=key)
    invoke(hosting, name)
    assert objects(hosting, name) == []
    assert "kms:GenerateDataKey" in hosting.log(name)


def test_the_endpoint_says_that_it_captures(hosting):
    found = hosting.client.describe_endpoint(EndpointName=captured(hosting, InitialSamplingPercentage=30))
    assert found["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 30,
        "DestinationS3Uri": "s3://models/captured/penguins",
        "KmsKeyId": "",
    }
