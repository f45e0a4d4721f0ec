"""Functions made and changed by the API, their policies, and what is kept."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from modelwright.local.service import AwsError

ROLE = "arn:aws:iam::123456789012:role/function"
VERSION = "def handler(event, context):\n    return {number}\n"


def packed(text: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("app.py", text)
    return body.getvalue()


def create(client: Any, name: str, **more: Any) -> dict[str, Any]:
    given = {"Runtime": "python3.14", "Role": ROLE, "Handler": "app.handler", "MemorySize": 512,
             "Code": {"ZipFile": packed(VERSION.format(number=1))}, **more}  # fmt: skip
    return client.create_function(FunctionName=name, **given)


def test_a_function_is_made_described_changed_and_deleted(functions) -> None:
    client = functions.client
    made = create(client, "made", Timeout=7, Description="first", Environment={"Variables": {"A1": "x"}})
    assert made["FunctionArn"] == "arn:aws:lambda:us-east-1:123456789012:function:made"
    assert (made["State"], made["Timeout"], made["Environment"]) == ("Active", 7, {"Variables": {"A1": "x"}})
    assert functions.invoke("made")[0] == 1
    changed = client.update_function_code(FunctionName="made", ZipFile=packed(VERSION.format(number=2)))
    assert changed["CodeSha256"] != made["CodeSha256"]
    assert functions.invoke("made")[0] == 2
    client.update_function_configuration(FunctionName="made", Timeout=9)
    found = client.get_function(FunctionName=made["FunctionArn"])["Configuration"]
    assert (found["Timeout"], found["Description"], found["MemorySize"]) == (9, "first", 512)
    assert "made" in [each["FunctionName"] for each in client.list_functions()["Functions"]]
    client.delete_function(FunctionName="made")
    with pytest.raises(ClientError) as caught:
        client.get_function(FunctionName="made")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_code_may_lie_in_s3(functions, cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="assets")
    cloud.client("s3").put_object(Bucket="assets", Key="code.zip", Body=packed(VERSION.format(number=3)))
    create(functions.client, "from-s3", Code={"S3Bucket": "assets", "S3Key": "code.zip"})
    assert functions.invoke("from-s3")[0] == 3
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchKey"):
        create(functions.client, "from-nowhere", Code={"S3Bucket": "assets", "S3Key": "none.zip"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Runtime": "nodejs22.x"}, "runs Python functions"),
        ({"Timeout": 901}, "901"),
        ({"MemorySize": 20000}, "20000"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "reserved keys"),
        ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, "4KB"),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, "LogFormat"),
        ({"Role": "arn:aws:iam::123456789012:role/nobody"}, "cannot be assumed by Lambda"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]}, "Layers: the local cloud does not support"),
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip"),
    ],
)
def test_a_wrong_function_is_refused_with_the_reason(functions, wrong, said) -> None:
    with pytest.raises(ClientError) as caught:
        create(functions.client, "wrong", **wrong)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert said in caught.value.response["Error"]["Message"]


def test_a_name_can_be_used_once(functions) -> None:
    create(functions.client, "once")
    with pytest.raises(ClientError) as caught:
        create(functions.client, "once")
    assert caught.value.response["Error"]["Code"] == "ResourceConflictException"


def test_permissions_are_a_policy_that_decides_who_may_invoke(functions, cloud) -> None:
    create(functions.client, "asked")
    arn, rule = "arn:aws:lambda:us-east-1:123456789012:function:asked", "arn:aws:events:us-east-1:123456789012:rule/r"

    def may() -> bool:
        try:
            cloud.iam.authorize_service("events.amazonaws.com", "lambda:InvokeFunction", arn, {"aws:SourceArn": rule})
        except AwsError:
            return False
        return True

    assert not may()
    given = {"FunctionName": "asked", "StatementId": "rule", "Action": "lambda:InvokeFunction",
             "Principal": "events.amazonaws.com", "SourceArn": rule}  # fmt: skip
    functions.client.add_permission(**given)
    assert may()
    policy = json.loads(functions.client.get_policy(FunctionName="asked")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    with pytest.raises(ClientError, match="already exists"):
        functions.client.add_permission(**given)
    functions.client.remove_permission(FunctionName="asked", StatementId="rule")
    assert not may()


def test_reserved_concurrency_of_zero_throttles_every_call(functions) -> None:
    create(functions.client, "closed")
    functions.client.put_function_concurrency(FunctionName="closed", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        functions.invoke("closed")
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    functions.client.delete_function_concurrency(FunctionName="closed")
    assert functions.invoke("closed")[0] == 1
