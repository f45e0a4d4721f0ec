"""What only some ways to host are granted: each action is used by a run of such a pipeline, or is listed."""

from __future__ import annotations

import json
import shutil
import uuid
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from grants_not_asked import NOT_ASKED
from own_environments import LINKED, PROJECT
from pipeline_ground import REGION
from pipeline_scripts import SCRIPTS
from policy_surgery import Decisions, grants, policies, uses

from modelwright.client.deployment import find_deployment
from modelwright.client.deploys.synth import synthesize
from modelwright.client.releases import publishing
from modelwright.client.session import Endpoint, Session
from modelwright.config import load_project
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from policy_surgery import Grant

_SMOKE = "smoke_test: data/smoke.csv, serve: python"
DEPLOY = {
    "safe": (
        f"endpoint: realtime, instance: INSTANCE, instance_count: 2, {_SMOKE}, ttl_hours: 1, "
        "capture: {percent: 100}, shadow: {percent: 100, minutes: 2}, "
        "autoscaling: {min: 2, max: 3, requests_per_instance: 1000}"
    ),
    "queue": (
        f"endpoint: async, instance: INSTANCE, {_SMOKE}, async: {{concurrent_per_instance: 2}}, ttl_hours: 1, "
        "autoscaling: {min: 0, max: 2, backlog_per_instance: 5}"
    ),
    "several": f"endpoint: multi-model, instance: INSTANCE, keep: 1, {_SMOKE}".replace("python", "framework"),
    "small": f"endpoint: serverless, serverless: {{memory_gib: 1, max_concurrency: 2}}, ttl_hours: 1, {_SMOKE}",
}
MUTE = SCRIPTS["inference.py"].replace("return [model for _ in rows]", "raise ValueError")
SEVERAL = SCRIPTS["train.py"].replace(
    'pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("1")',
    'folder = pathlib.Path(os.environ["SM_MODEL_DIR"], "one"); folder.mkdir(); (folder / "model.txt").write_text("1")',
)
LISTED = {
    ("*", "*", "cloudwatch:PutMetricAlarm"): "target tracking's alarms are made and removed with one statement; the "
    "resources are tried one by one in tests/local/endpoints/test_autoscaling.py",
    ("*", "*", "cloudwatch:DescribeAlarms"): "as above",
    ("*", "*", "cloudwatch:DeleteAlarms"): "as above",
    ("RestoreEndpointFunctionRole", "*", "application-autoscaling:DeregisterScalableTarget"): "asked when the first "
    "scaling of an endpoint has to be undone; how: tests/unit/lambdas",
    ("ScaleEndpointFunctionRole", "*", "application-autoscaling:DeregisterScalableTarget"): "asked when a variant gets "
    "another machine, which the first of these pipelines does",
    ("HostingRole", "WriteOutputs", "s3:PutObject"): "captured requests are written when their time is over: "
    "tests/local/endpoints/test_data_capture.py",
    ("HostingRole", "UseTheKeyForObjects", "kms:GenerateDataKey"): "as above",
    ("*", "*", "application-autoscaling:DeleteScalingPolicy"): "asked when a person made a policy of another name",
    ("ExpireEndpointFunctionRole", "GiveUp", "sqs:SendMessage"): "an event that was given up: tests/local/closing",
    ("ExpireEndpointFunctionRole", "EncryptDeadLetters", "kms:*"): "as above",
    ("*", "*", "iam:CreateServiceLinkedRole"): "asked of whoever registers the first target of an account alone",
    ("HostingRole", "WriteOutputs", "s3:AbortMultipartUpload"): "asked when an upload in parts is given up midway",
    ("HostingRole", "EncryptOutputs", "kms:Encrypt"): "S3 itself needs kms:GenerateDataKey, which is checked",
}


class Place:
    """One local cloud with a pipeline for each way to host, and what its policies decided."""

    def __init__(self, cloud: Cloud, root: Path, decisions: Decisions) -> None:
        self.cloud, self.root, self.decisions = cloud, root, decisions
        owner = cloud.callers.owner
        self.session = Session(REGION, lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))

    def run(self, pipeline: str, **files: str) -> str:
        """Run the pipeline with these files changed; how it ended."""
        for name, text in files.items():
            (self.root / "training_code" / pipeline / f"{name}.py").write_text(text)
        project, deployment = load_project(self.root, "dev"), find_deployment(self.session, "dev", pipeline)
        release = publishing.publish_folder(self.session, project, project.pipeline(pipeline), deployment, default=True)
        trigger = {"kind": "manual", "id": str(uuid.uuid4())}
        request = {"schema": 1, "pipeline": pipeline, "release": release, "trigger": trigger}
        arn = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=deployment.state_machine_arn, input=json.dumps(request)
        )["executionArn"]
        machines: Any = self.cloud.services["stepfunctions"]
        record = machines.executions.wait(arn, 120)
        return str(record.get("error") or json.loads(record["output"])["status"])

    def expire(self, pipeline: str) -> str:
        """Call the schedule's function as if the last deployment were long ago."""
        table = find_deployment(self.session, "dev", pipeline).table
        champion = {"pk": {"S": f"PIPELINE#{pipeline}"}, "sk": {"S": "CHAMPION"}}
        run = self.cloud.client("dynamodb").get_item(TableName=table, Key=champion)["Item"]["run"]["S"]
        self.cloud.client("dynamodb").update_item(
            TableName=table,
            Key={**champion, "sk": {"S": f"RUN#{run}"}},
            UpdateExpression="SET ended_at = :long_ago",
            ExpressionAttributeValues={":long_ago": {"S": "2020-01-01T00:00:00.000Z"}},
        )
        formation: Any = self.cloud.services["cloudformation"]
        name = str(formation._stacks[f"mw-dev-{pipeline}"].resources["ExpireEndpointFunction"][1].id)
        answer = self.cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        return str(json.loads(answer["Payload"].read()).get("outcome"))

    def idle(self, pipeline: str, beside: set[tuple[str, str]]) -> list[str]:
        """The grants of the pipeline's stack that nothing used, but those that every pipeline has."""
        formation: Any = self.cloud.services["cloudformation"]
        stack = formation._stacks[f"mw-dev-{pipeline}"]
        arns = {physical.attributes.get("Arn") for _, physical in stack.resources.values()}
        used = {(ref, action) for ref, action, _ in self.decisions.used}
        found = [grant for grant in grants([each for each in policies(self.cloud) if each.arn in arns]) if grant.allows]
        return [
            str(grant)
            for grant in found
            if (grant.owner, grant.action) not in beside and not uses(grant, used) and not _listed(grant)
        ]


def _listed(grant: Grant) -> bool:
    names = (grant.owner, grant.sid, grant.action)
    return any(all(map(fnmatchcase, names, each)) for each in (*NOT_ASKED, *LISTED))


@pytest.fixture(scope="module")
def place(hurried: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    del hurried
    root = _project(tmp_path_factory.mktemp("hosted"))
    sample = root / "training_code" / "penguins"
    settings = (sample / "pipeline.yaml").read_text()
    for name, text in SCRIPTS.items():
        (sample / name).write_text(text)
    for name, deploy_settings in DEPLOY.items():
        _pipeline(root, name, settings, deploy_settings.replace("INSTANCE", "ml.m5.large"))
    (root / "training_code" / "several" / "train.py").write_text(SEVERAL)
    made = Cloud(tmp_path_factory.mktemp("cloud"), REGION)
    made.start()
    try:
        decisions = Decisions(made)
        synthesize(root, "dev", root / "cdk.out")
        deploy(made, root / "cdk.out")
        yield Place(made, root, decisions)
    finally:
        made.stop()


def _project(root: Path) -> Path:
    for name in (name for name in LINKED if name != "training_code"):
        (root / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "training_code", root / "training_code", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "environments").mkdir()
    (root / "environments" / "dev.yaml").write_text(f"region: {REGION}\n")
    return root


def _pipeline(root: Path, name: str, settings: str, deploy_settings: str) -> None:
    folder = root / "training_code" / name
    folder.mkdir(exist_ok=True)
    for path in (root / "training_code" / "penguins").rglob("*"):
        target = folder / path.relative_to(root / "training_code" / "penguins")
        if path.is_file():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    lines = [line for line in settings.splitlines() if not line.startswith(("deploy:", "batch:", "triggers:"))]
    (folder / "pipeline.yaml").write_text("\n".join([*lines, f"deploy: {{{deploy_settings}}}", ""]))


@pytest.fixture(scope="module")
def beside(place: Place) -> set[tuple[str, str]]:
    """What the sample's stack has, too: test_grants_are_needed.py tries each of those."""
    formation: Any = place.cloud.services["cloudformation"]
    stack = formation._stacks["mw-dev-penguins"]
    arns = {physical.attributes.get("Arn") for _, physical in stack.resources.values()}
    return {
        (grant.owner, grant.action) for grant in grants([each for each in policies(place.cloud) if each.arn in arns])
    }


def test_a_safe_deployment_that_scales(place: Place, beside: set[tuple[str, str]]) -> None:
    assert place.run("safe") == "Deployed"
    place.cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="mw-dev-safe", Body=b"a\n1\n", ContentType="text/csv", Accept="application/json"
    )
    settings = place.root / "training_code" / "safe" / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("ml.m5.large, instance_count", "ml.m5.xlarge, instance_count"))
    assert place.run("safe", inference=MUTE) == "SmokeTestFailed"
    assert place.run("safe", inference=SCRIPTS["inference.py"]) == "Deployed"
    assert place.expire("safe") == "deleted"
    assert "; ".join(place.idle("safe", beside)) == ""


def test_a_queue(place: Place, beside: set[tuple[str, str]]) -> None:
    assert place.run("queue") == "Deployed"
    assert place.run("queue", inference=MUTE) == "SmokeTestFailed"
    assert place.expire("queue") == "deleted"
    assert "; ".join(place.idle("queue", beside)) == ""


def test_several_models(place: Place, beside: set[tuple[str, str]]) -> None:
    for number in range(3):
        assert place.run("several", evaluate=SCRIPTS["evaluate.py"] + f"# {number}\n") == "Deployed"
    assert "; ".join(place.idle("several", beside)) == ""


def test_a_serverless_endpoint(place: Place, beside: set[tuple[str, str]]) -> None:
    assert [place.run("small"), place.run("small")] == ["Deployed", "Deployed"]
    assert place.expire("small") == "deleted"
    assert "; ".join(place.idle("small", beside)) == ""
