"""The pipeline in an environment with a VPC, a role path, a boundary, tags and limits: all of it is real to a run."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from own_environments import BOUNDARY, GROUP, STRICT, SUBNETS, TAGS, project_with
from pipeline_batch import transformed
from policy_surgery import Decisions, grants, policies, without

from modelwright.client.deploys.synth import ensure_assembly
from modelwright.client.runs.executions import run_id

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline_stage import Stage

NETWORK = {"SecurityGroupIds": [GROUP], "Subnets": list(SUBNETS)}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In place of the real project's: the same with an environment `dev` of a strict platform engineer."""
    return ensure_assembly(project_with(tmp_path_factory.mktemp("strict") / "p", dev=STRICT), "dev")


@pytest.fixture(scope="module")
def run(stage: Stage) -> str:
    """The id of a run that was deployed."""
    record = stage.ended(stage.start("good"))
    assert record["status"] == "SUCCEEDED", record
    assert json.loads(record["output"])["status"] == "Deployed"
    return run_id(record["executionArn"])


def test_jobs_and_models_are_in_the_network(stage: Stage, run: str) -> None:
    client = stage.client("sagemaker")
    process = client.describe_processing_job(ProcessingJobName=f"dev-penguins-process-{run}-00")
    assert process["NetworkConfig"]["VpcConfig"] == NETWORK
    assert process["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert client.describe_training_job(TrainingJobName=f"dev-penguins-train-{run}-00")["VpcConfig"] == NETWORK
    assert client.describe_model(ModelName=f"dev-penguins-{run}-00")["VpcConfig"] == NETWORK


def test_everything_that_a_run_makes_has_the_tags(stage: Stage, run: str) -> None:
    client, account = stage.client("sagemaker"), f"arn:aws:sagemaker:eu-central-1:{stage.cloud.account}"
    own = {"modelwright:environment": "dev", "modelwright:pipeline": "penguins", "modelwright:run": run}
    for name in (
        f"processing-job/dev-penguins-process-{run}-00",
        f"training-job/dev-penguins-train-{run}-00",
        f"processing-job/dev-penguins-evaluate-{run}-00",
        f"model/dev-penguins-{run}-00",
        f"endpoint-config/dev-penguins-{run}-00",
        "endpoint/mw-dev-penguins",
    ):
        found = {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=f"{account}:{name}")["Tags"]}
        assert found.items() >= {**TAGS, **own}.items(), name
    group = client.list_tags(ResourceArn=f"{account}:model-package-group/mw-dev-penguins")["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in group} == TAGS


def test_a_roles_boundary_is_recorded_and_its_path_is_in_its_name(stage: Stage) -> None:
    arn = stage.arn("TrainingRole")
    assert arn.startswith(f"arn:aws:iam::{stage.cloud.account}:role/ml/platform/mw-dev-penguins-TrainingRole-")
    assert stage.cloud.database.get("role", arn) == {"permissions_boundary": BOUNDARY}


def test_each_action_in_the_network_is_needed(stage: Stage, decisions: Decisions, run: str) -> None:
    """Nine of a job, ten of an endpoint and of batch transform; without one, the run fails and says which."""
    found = policies(stage.cloud)
    wanted = [grant for grant in grants(found) if grant.action.startswith("ec2:")]
    assert len(wanted) == 9 + 9 + 10 + 10
    fails = {
        "ProcessingRole": job_fails,
        "TrainingRole": job_fails,
        "HostingRole": endpoint_fails,
        "BatchRole": batch_fails,
    }
    for grant in wanted:
        with without(stage.cloud, found, grant):
            decisions.refused.clear()
            assert fails[grant.owner](stage, run), grant
        assert grant.action.lower() in decisions.refused, grant
    assert not endpoint_fails(stage, run), "with all of them"
    assert not batch_fails(stage, run), "with all of them"


def job_fails(stage: Stage, run: str) -> bool:
    return stage.run("good").outcome == "FAILED"


def batch_fails(stage: Stage, run: str) -> bool:
    return transformed(stage, NETWORK).outcome != "Completed Completed"


def endpoint_fails(stage: Stage, run: str) -> bool:
    """Whether an endpoint of the run's model cannot be made: sooner seen than a whole deployment that is taken back."""
    client, name = stage.client("sagemaker"), f"tried-{uuid.uuid4().hex}"
    client.create_endpoint(EndpointName=name, EndpointConfigName=f"dev-penguins-{run}-00")
    sagemaker: Any = stage.cloud.services["sagemaker"]
    ended = sagemaker.wait("Endpoint", name, 60)
    client.delete_endpoint(EndpointName=name)
    return bool(ended["EndpointStatus"] == "Failed")


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"VpcConfig": {**NETWORK, "Subnets": [SUBNETS[0], "subnet-76543210"]}},
        {"VpcConfig": {**NETWORK, "SecurityGroupIds": ["sg-76543210"]}},
    ],
    ids=["none", "another subnet", "another security group"],
)
def test_the_state_machine_makes_nothing_outside_of_the_network(
    stage: Stage, run: str, network: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="explicit deny"):
        make_model(stage, run, network)


def test_within_the_network_it_does(stage: Stage, run: str) -> None:
    make_model(stage, run, {"VpcConfig": {**NETWORK, "Subnets": [SUBNETS[1]]}})


def make_model(stage: Stage, run: str, network: dict[str, Any]) -> None:
    """As the state machine, make a model like that of the run, in some network."""
    like = stage.client("sagemaker").describe_model(ModelName=f"dev-penguins-{run}-00")
    machine = stage.cloud.client("sagemaker", stage.arn("StateMachineRole"))
    same = {key: like[key] for key in ("ExecutionRoleArn", "PrimaryContainer")}
    machine.create_model(ModelName=f"dev-penguins-{run}-99", **same, **network)


def changed(stage: Stage, change: dict[str, Any]) -> str:
    """Publish the good release with other values of `train`, as one of another environment or another time."""
    client, bucket = stage.client("s3"), stage.deployment.artifact_bucket
    body = client.get_object(Bucket=bucket, Key=f"releases/penguins/{stage.releases['good']}.json")["Body"].read()
    manifest = json.loads(body)
    manifest["train"] |= change
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    name = hashlib.sha256(text).hexdigest()
    client.put_object(Bucket=bucket, Key=f"releases/penguins/{name}.json", Body=text)
    return name


@pytest.mark.parametrize(
    "change",
    [{"instance": "ml.m5.xlarge"}, {"instance": "ml.p3.2xlarge"}, {"max_runtime_seconds": 7201}],
    ids=["another instance", "a large instance", "a longer time"],
)
def test_a_release_that_asks_for_what_is_not_allowed_is_refused_by_iam(
    stage: Stage, decisions: Decisions, run: str, change: dict[str, Any]
) -> None:
    decisions.refused.clear()
    seen = stage.run(changed(stage, change))
    assert (seen.outcome, seen.error) == ("FAILED", "SageMaker.AmazonSageMakerException")
    assert decisions.refused == {"sagemaker:createtrainingjob"}


def test_a_release_within_the_limits_is_not(stage: Stage, run: str) -> None:
    assert stage.run(changed(stage, {"max_runtime_seconds": 7200})).outcome == "Deployed"
