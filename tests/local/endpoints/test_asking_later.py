"""`predict` on an asynchronous endpoint, as a role with the caller's policy and nothing else."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from policy_surgery import Decisions

from modelwright.client.caller_policy import Place, document, later_policy
from modelwright.client.endpoints.async_prediction import ask_later
from modelwright.client.endpoints.prediction import Question
from modelwright.client.session import Endpoint, Session
from modelwright.errors import PredictionFailed

ACCOUNT = "123456789012"
BUCKET = "mw-dev-data-artifactbucket-1"
ARTIFACTS = f"s3://{BUCKET}/async/birds"
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]
}
STATEMENTS = [
    item
    for item in later_policy(Place("dev", "us-east-1", ACCOUNT, ("birds",), own_key=False))
    if item["Sid"] != "FindWhatIsDeployed"  # there is no stack here
]


@pytest.fixture(scope="module")
def deployment(cloud):
    """An asynchronous endpoint where the policies expect it, whose model breaks on numbers above 100."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    return SimpleNamespace(pipeline="birds", endpoint_name="mw-dev-birds", artifact_bucket=BUCKET)


@pytest.fixture(autouse=True)
def _serving(deployment, hosting, put_role):
    if hosting.client.list_endpoints()["Endpoints"]:
        return
    role = put_role(hosting.cloud)
    writes = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    hosting.cloud.iam.put_role_policy(role, "work", {"Version": "2012-10-17", "Statement": [writes]})
    script = (
        "def model_fn(d): return 1\ndef predict_fn(data, m):\n    assert data.max() < 100, 'too much'\n    return [7]"
    )
    name = hosting.model(script=script)
    variant = {"VariantName": "v0", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    hosting.client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant],
        AsyncInferenceConfig={
            "OutputConfig": {"S3OutputPath": f"{ARTIFACTS}/output", "S3FailurePath": f"{ARTIFACTS}/failure"}
        },
    )
    hosting.client.create_endpoint(EndpointName=deployment.endpoint_name, EndpointConfigName=name)
    assert hosting.settled(deployment.endpoint_name)["EndpointStatus"] == "InService"


def session_with(cloud, statements):
    arn = f"arn:aws:iam::{ACCOUNT}:role/caller"
    cloud.iam.put_role(arn, TRUST, {"policy": document(statements)})
    keys = cloud.callers.session(arn)
    where = Endpoint(cloud.endpoint_url, keys.access_key, keys.secret_key, keys.session_token)
    return Session("us-east-1", lambda: where)


def question(body):
    return Question(body, "text/csv", "application/json")


def test_each_grant_of_the_policy_is_needed_and_they_suffice(cloud, deployment):
    decisions = Decisions(cloud)
    session, told = session_with(cloud, STATEMENTS), []
    assert json.loads(ask_later(session, deployment, question(b"1,2\n"), told.append)) == [7]
    assert told[0].startswith(f"{ARTIFACTS}/output/")
    with pytest.raises(PredictionFailed, match="too much") as caught:
        ask_later(session, deployment, question(b"1,200\n"))
    assert f"{ARTIFACTS}/failure/" in caught.value.hint
    used = {(ref.statement, action) for ref, action, _ in decisions.used if ref.owner.endswith("role/caller")}
    assert used >= {(item["Sid"], action.lower()) for item in STATEMENTS for action in item["Action"]}


@pytest.mark.parametrize("sid", [item["Sid"] for item in STATEMENTS])
def test_without_one_of_them_the_caller_is_told_which(cloud, deployment, sid):
    session = session_with(cloud, [item for item in STATEMENTS if item["Sid"] != sid])
    with pytest.raises(ClientError, match="AccessDenied"):
        ask_later(session, deployment, question(b"1,200\n"))


def test_an_endpoint_that_is_not_there_is_no_answer(cloud, deployment):
    owner = cloud.callers.owner
    session = Session("us-east-1", lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))
    absent = SimpleNamespace(**{**vars(deployment), "endpoint_name": "mw-dev-nobody"})
    with pytest.raises(PredictionFailed, match="not found"):
        ask_later(session, absent, question(b"1,2\n"))
