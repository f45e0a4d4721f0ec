from __future__ import annotations

import http.client
import json
import socket
import threading

import pytest
from botocore.exceptions import ClientError
from echo_services import AwsError

from modelwright.local.service import Credentials


def raw(cloud, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""):
    connection = http.client.HTTPConnection("127.0.0.1", int(cloud.endpoint_url.rpartition(":")[2]))
    connection.request(method, target, body, headers or {})
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def test_an_unsigned_request_is_refused(cloud) -> None:
    status, body = raw(cloud, "GET", "/bucket/key")
    assert status == 403
    assert json.loads(body)["__type"] == "MissingAuthenticationToken"


def test_unknown_keys_are_refused(cloud, http_client) -> None:
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        http_client(cloud, "sagemaker", Credentials("AKIAUNKNOWNUNKNOWNXX", "s")).describe_model(ModelName="m")
    assert cloud.services["sagemaker"].calls == []


def test_a_service_that_nobody_has_is_named(cloud, http_client) -> None:
    asked = {"ec2": "describe_instances", "rds": "describe_db_instances", "athena": "list_work_groups"}
    for service, operation in asked.items():
        message = f"UnknownService.*no AWS service with the signing name '{service}'; it has .*sagemaker"
        with pytest.raises(ClientError, match=message):
            getattr(http_client(cloud, service), operation)()


def test_an_operation_that_nobody_has_is_named_with_those_there_are(cloud, http_client) -> None:
    with pytest.raises(ClientError, match=r"no sagemaker:ListApps; it has CreateModel, CreateTrainingJob"):
        http_client(cloud, "sagemaker").list_apps()


def test_what_our_service_lets_fall_through_goes_to_moto(cloud, http_client) -> None:
    cloud.services["dynamodb"].answers["DescribeLimits"] = {"AccountMaxReadCapacityUnits": 7}
    client = http_client(cloud, "dynamodb")
    assert client.describe_limits()["AccountMaxReadCapacityUnits"] == 7
    assert client.list_tables()["TableNames"] == []
    assert [call.operation for call in cloud.services["dynamodb"].calls] == ["DescribeLimits"]


def test_a_service_whose_changes_nobody_would_keep_is_refused(cloud, http_client) -> None:
    with pytest.raises(ClientError, match=r"no iam:CreateUser; it has cloudwatch, dynamodb, events, .*s3"):
        http_client(cloud, "iam").create_user(UserName="u")


def test_callers_are_told_who_they_are(make_cloud, http_client) -> None:
    cloud = make_cloud({"sts": "modelwright.local.identity.service:Identity"})
    found = http_client(cloud, "sts").get_caller_identity()
    assert (found["Account"], found["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")
    arn = role(cloud, ANYTHING)
    found = http_client(cloud, "sts", cloud.callers.session(arn, "job-1")).get_caller_identity()
    assert found["Arn"] == "arn:aws:sts::123456789012:assumed-role/job/job-1"


def test_another_region_is_refused_by_name(cloud, http_client) -> None:
    with pytest.raises(ClientError, match="sent to us-east-1; the local cloud is the region eu-central-1"):
        http_client(cloud, "sagemaker", region="us-east-1").describe_model(ModelName="m")


ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def role(cloud, *statements) -> str:
    arn = "arn:aws:iam::123456789012:role/job"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    cloud.iam.put_role(arn, trust, {"inline": {"Version": "2012-10-17", "Statement": list(statements)}})
    return arn


def test_a_role_may_do_what_its_policy_says_and_nothing_else(cloud, http_client) -> None:
    cloud.client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    cloud.client("s3").put_object(Bucket="bucket", Key="a", Body=b"1")
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/a"}
    arn = role(cloud, allowed)
    for s3 in (http_client(cloud, "s3", cloud.callers.session(arn)), cloud.client("s3", arn)):
        assert s3.get_object(Bucket="bucket", Key="a")["Body"].read() == b"1"
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket="bucket", Key="a", Body=b"2")
    assert cloud.client("s3").get_object(Bucket="bucket", Key="a")["Body"].read() == b"1"


def test_a_roles_keys_without_their_session_token_are_refused(cloud, http_client) -> None:
    keys = cloud.callers.session(role(cloud, ANYTHING))
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        http_client(cloud, "sagemaker", Credentials(keys.access_key, keys.secret_key)).describe_model(ModelName="m")


def test_a_role_is_told_to_our_services_and_refused_before_them(cloud) -> None:
    arn = role(cloud, {"Effect": "Allow", "Action": "sagemaker:DescribeModel", "Resource": "*"})
    cloud.services["sagemaker"].answers["DescribeModel"] = AwsError("ValidationException", "none")
    with pytest.raises(ClientError, match="ValidationException"):
        cloud.client("sagemaker", arn, via="states.amazonaws.com").describe_model(ModelName="m")
    (call,) = cloud.services["sagemaker"].calls
    assert (call.caller.kind, call.caller.role_arn, call.caller.via) == ("role", arn, "states.amazonaws.com")
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("sagemaker", arn).create_model(ModelName="m", ExecutionRoleArn=arn)
    assert len(cloud.services["sagemaker"].calls) == 1


def test_clients_are_kept(cloud) -> None:
    assert cloud.client("s3") is cloud.client("s3")
    assert cloud.client("s3") is not cloud.client("s3", role(cloud, ANYTHING))


def test_many_callers_at_once_get_one_conditional_put_through(cloud, http_client) -> None:
    """The deployment lease rests on this."""
    table = cloud.client("dynamodb")
    table.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    won: list[int] = []
    start = threading.Barrier(8)

    def take(number: int) -> None:
        client = http_client(cloud, "dynamodb")
        start.wait()
        try:
            client.put_item(TableName="t", Item={"pk": {"S": "lease"}}, ConditionExpression="attribute_not_exists(pk)")
        except client.exceptions.ConditionalCheckFailedException:
            return
        won.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


@pytest.mark.parametrize(
    "request_bytes",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
)
def test_what_is_not_http_is_answered_and_the_next_connection_served(cloud, request_bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(cloud.endpoint_url.rpartition(":")[2]))) as connection:
        connection.sendall(request_bytes)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400")
    assert raw(cloud, "GET", "/")[0] == 403


def test_the_endpoint_is_on_loopback_only(cloud) -> None:
    assert cloud.endpoint_url.startswith("http://127.0.0.1:")
