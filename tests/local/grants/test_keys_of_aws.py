"""`key: aws-owned`: no key of ours anywhere, and everything goes its way."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from own_environments import PROJECT, project_with
from pipeline_scenarios import SCENARIOS, played
from policy_surgery import policies
from template_queries import plain, read_stack, read_stacks

from modelwright.client.deploys.synth import ensure_assembly

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline_stage import Stage


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, its environment without a key of its own, in the place of the session's assembly."""
    settings = (PROJECT / "environments" / "dev.yaml").read_text("utf-8")
    folder = tmp_path_factory.mktemp("without-key") / "project"
    return ensure_assembly(project_with(folder, dev=f"{settings}\nkey: aws-owned\n"), "dev")


def test_no_template_knows_a_key(assembly: Path) -> None:
    for stack in read_stacks(assembly):
        known = {**stack.body, "Resources": {}}
        text = json.dumps([known, *(plain(each.get("Properties", {})) for _, each in stack.resources())])
        assert re.findall(r"kms:|AWS::KMS|Kms\w+Id|kmsKey|KmsKey|KeyArn|KEY_ARN|key-arn", text) == [], stack.name


def test_services_encrypt_with_their_own(assembly: Path) -> None:
    shared, own = read_stack(assembly, "mw-dev-data"), read_stack(assembly, "mw-dev-penguins-data")
    for bucket in shared.all("AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    assert shared.one("AWS::SQS::Queue")[1]["SqsManagedSseEnabled"] is True
    assert "SSESpecification" not in shared.one("AWS::DynamoDB::Table")[1]
    assert own.one("AWS::ECR::Repository")[1]["EncryptionConfiguration"] == {"EncryptionType": "AES256"}


def test_alarms_reach_the_topic_which_has_no_key(assembly: Path) -> None:
    """With SNS's own key (alias/aws/sns) they could not: its policy lets no service in, and cannot be changed."""
    assert "KmsMasterKeyId" not in read_stack(assembly, "mw-dev-data").one("AWS::SNS::Topic")[1]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("deployed", "made"),
        ("alarm", "told"),
        ("undelivered", "told"),
        ("first", "Deployed"),
        ("update", "Deployed"),
        ("undone_update", "FAILED"),
        ("rejected", "Rejected"),
        ("restored_anew", "called"),
    ],
)
def test_every_way_is_open(stage: Stage, name: str, outcome: str) -> None:
    assert name in SCENARIOS
    assert played(stage, name).outcome == outcome


def test_no_job_and_no_endpoint_names_a_key(stage: Stage) -> None:
    assert stage.deployment.key_arn is None
    client: Any = stage.client("sagemaker")
    jobs = client.list_training_jobs()["TrainingJobSummaries"]
    assert jobs
    for each in jobs:
        found = client.describe_training_job(TrainingJobName=each["TrainingJobName"])
        assert "KmsKeyId" not in found["OutputDataConfig"]
        assert "VolumeKmsKeyId" not in found["ResourceConfig"]
    configs = client.list_endpoint_configs()["EndpointConfigs"]
    assert configs
    for each in configs:
        assert "KmsKeyId" not in client.describe_endpoint_config(EndpointConfigName=each["EndpointConfigName"])


def test_data_under_a_key_in_kms_are_refused(stage: Stage) -> None:
    """No role of a pipeline could read them."""
    arn = f"arn:aws:iam::{stage.cloud.account}:role/producer"
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trust, grants = ({"Version": "2012-10-17", "Statement": [item]} for item in (trusted, everything))
    stage.cloud.iam.put_role(arn, trust, {"Everything": grants})
    put = stage.cloud.client("s3", arn).put_object
    place = {"Bucket": stage.deployment.data_bucket, "Key": "incoming/penguins/x.csv", "Body": b"x"}
    put(**place)
    put(**place, ServerSideEncryption="AES256")
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        put(**place, ServerSideEncryption="aws:kms", SSEKMSKeyId="arn:aws:kms:eu-central-1:123456789012:key/theirs")


def test_no_policy_speaks_of_keys(stage: Stage) -> None:
    found = [each for each in policies(stage.cloud) if "kms:" in json.dumps(each.document)]
    assert [(each.owner, each.name) for each in found] == []
