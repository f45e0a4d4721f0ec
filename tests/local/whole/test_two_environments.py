"""Two environments in one account: both run and serve; one goes, the other does not notice."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from own_environments import project_with

from modelwright.client.deployment import Deployment, find_deployment
from modelwright.client.deploys.synth import synthesize
from modelwright.client.releases import publishing
from modelwright.client.removal.pipeline import destroy
from modelwright.client.session import Endpoint, Session
from modelwright.config import load_project
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-central-1"
SETTINGS = f"region: {REGION}\n"
NAMES = ("dev", "dev2")


@dataclass
class Account:
    """The account with both environments; their project and a session of its owner."""

    cloud: Cloud
    root: Path
    session: Session

    def deployment(self, environment: str) -> Deployment:
        return find_deployment(self.session, environment, "penguins")

    def run(self, environment: str) -> dict[str, Any]:
        """Publish the project's release and run it; the execution's result."""
        project = load_project(self.root, environment)
        deployment = self.deployment(environment)
        release = publishing.publish_folder(
            self.session, project, project.pipeline("penguins"), deployment, default=True
        )
        request = {"schema": 1, "pipeline": "penguins", "release": release}
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=deployment.state_machine_arn,
            input=json.dumps({**request, "trigger": {"kind": "manual", "id": str(uuid.uuid4())}}),
        )
        machines: Any = self.cloud.services["stepfunctions"]
        record = machines.executions.wait(started["executionArn"], 120)
        assert record["status"] == "SUCCEEDED", record
        return dict(json.loads(record["output"]))

    def names(self, what: str) -> set[str]:
        """The names of all models, endpoint configurations or endpoints."""
        client, member = self.cloud.client("sagemaker"), {"model": "Models", "endpoint_config": "EndpointConfigs"}[what]
        key = member.removesuffix("s") + "Name"
        return {each[key] for each in getattr(client, f"list_{what}s")()[member]}

    def predicts(self, environment: str) -> bool:
        body = (self.root / "training_code" / "penguins" / "data" / "smoke.csv").read_bytes()
        answer = self.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.deployment(environment).endpoint_name, Body=body, ContentType="text/csv"
        )
        return bool(answer["Body"].read())


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("two")
    root = project_with(folder / "p", dev=SETTINGS, dev2=SETTINGS)
    cloud = Cloud(folder / "cloud", REGION)
    cloud.start()
    try:
        for environment in NAMES:
            synthesize(root, environment, folder / environment)
            deploy(cloud, folder / environment)
        owner = cloud.callers.owner
        keys = Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key)
        yield Account(cloud, root, Session(REGION, lambda: keys))
    finally:
        cloud.stop()


def test_both_run_side_by_side_and_one_goes_alone(account: Account) -> None:
    results = {environment: account.run(environment) for environment in NAMES}
    assert {result["status"] for result in results.values()} == {"Deployed"}
    assert {result["endpoint"] for result in results.values()} == {"mw-dev-penguins", "mw-dev2-penguins"}
    ours = {environment: f"{environment}-penguins-{results[environment]['run']}-00" for environment in NAMES}
    assert account.names("model") == account.names("endpoint_config") == set(ours.values())
    assert all(account.predicts(environment) for environment in NAMES)

    lines = list(destroy(account.session, "dev", "penguins", data=True, pause=lambda _: None))
    assert "models: 1 removed" in lines
    assert account.names("model") == account.names("endpoint_config") == {ours["dev2"]}
    assert account.predicts("dev2")
    assert account.run("dev2")["status"] == "Deployed"
