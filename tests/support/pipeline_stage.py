"""The synthesized pipeline in a local cloud inside this process, with scripts that take no time, and what a run leaves.

Only the scripts are others than the project's: the template holds none of them.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client import publishing
from modelwright.client.deployment import find_deployment
from modelwright.client.executions import run_id
from modelwright.client.session import Endpoint, Session
from modelwright.config import load_project
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud

REGION = "eu-central-1"
PROJECT = Path(__file__).resolve().parents[2]
_PROCESS = """
from pathlib import Path
for part in ("train", "test"):
    folder = Path("/opt/ml/processing", part)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text("1\\n")
print("processed")
"""
_TRAIN = """
import os, pathlib
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("1")
print("trained")
"""
_EVALUATE = """
import json, pathlib
folder = pathlib.Path("/opt/ml/processing/evaluation")
folder.mkdir(parents=True, exist_ok=True)
(folder / "evaluation.json").write_text(json.dumps({"metrics": {"accuracy": 0.9}}))
print("evaluated")
"""
_INFERENCE = """
import json
def model_fn(folder): return 1
def input_fn(body, content_type): return (body.decode() if isinstance(body, bytes) else body).splitlines()[1:]
def predict_fn(rows, model): return [model for _ in rows]
def output_fn(found, accept): return json.dumps({"predictions": found}), "application/json"
"""
_NO_REPORT = "import pathlib\npathlib.Path('/opt/ml/processing/evaluation').mkdir(parents=True, exist_ok=True)\n"
_SLEEP = "import time\ntime.sleep(600)\n"
SCRIPTS = {"process.py": _PROCESS, "train.py": _TRAIN, "evaluate.py": _EVALUATE, "inference.py": _INFERENCE}
RELEASES: Mapping[str, Mapping[str, str]] = {
    "good": {},
    "mute": {"inference.py": _INFERENCE.replace("return [model for _ in rows]", "raise ValueError('mute')")},
    "broken": {"inference.py": "import no_such_module\n"},
    "silent": {"evaluate.py": _NO_REPORT},
    "slow_process": {"process.py": _SLEEP},
    "slow_train": {"train.py": _SLEEP},
}
"""What differs from SCRIPTS."""


@dataclass(frozen=True)
class Seen:
    """What can be seen of a run from outside, the same for every run that goes the same way."""

    outcome: str
    """The result's status, or what the execution became."""
    error: str = ""
    recorded: str = ""
    """The run's status in the table."""
    told: int = 0
    """Messages about it."""
    lease: str = ""
    """`free`, or `held` by whoever."""
    serves: str = ""
    """Whose configuration the endpoint has: `its`, `another` or `none`."""
    left: tuple[int, int] = (0, 0)
    """Models and endpoint configurations."""
    package: str = ""
    """Whether the run's model package is approved."""
    logged: frozenset[str] = frozenset()
    """The log groups that were written."""
    more: str = ""


class Inline:
    """An executor that has no threads: what is submitted is done when `submit` returns."""

    def submit(self, function: Callable[..., object], *arguments: object) -> None:
        """Do it."""
        function(*arguments)

    def shutdown(self, **_: object) -> None:
        """Nothing is left."""


class Stage:
    """One local cloud with the pipeline deployed and its releases published."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        owner = cloud.callers.owner
        self.session = Session(REGION, lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))
        self.deployment = find_deployment(self.session, "dev", "penguins")
        self.releases = {name: self._publish(folder / name, scripts) for name, scripts in RELEASES.items()}
        self.releases["strict"] = self._publish(folder / "strict", {}, gate="accuracy >= 0.99")
        self.topics: Any = cloud.services["sns"]
        self.queues: Any = cloud.services["sqs"]
        self.events: Any = cloud.services["events"]
        self.events._pool = Inline()
        self._logged: set[str] = set()
        self._watch_logs()

    def client(self, service: str) -> Any:
        """The owner's client, who is not restricted."""
        return self.cloud.client(service)

    def _publish(self, folder: Path, scripts: Mapping[str, str], gate: str = "accuracy >= 0.80") -> str:
        pipeline = folder / "training_code" / "penguins"
        shutil.copytree(PROJECT / "environments", folder / "environments")
        shutil.copytree(PROJECT / "training_code" / "penguins", pipeline)
        settings = (pipeline / "pipeline.yaml").read_text()
        assert "accuracy >= 0.80" in settings
        assert "deploy: {" in settings
        settings = settings.replace("accuracy >= 0.80", gate).replace("deploy: {", "deploy: {keep: 1, ")
        (pipeline / "pipeline.yaml").write_text(settings)
        for name, text in {**SCRIPTS, **scripts}.items():
            (pipeline / name).write_text(text)
        project = load_project(folder, "dev")
        return publishing.publish_folder(
            self.session, project, project.pipeline("penguins"), self.deployment, default=True
        )

    def _watch_logs(self) -> None:
        logs: Any = self.cloud.services["logs"]
        write = logs.write

        def watched(group: str, stream: str, lines: Any) -> None:
            if lines:
                self._logged.add(group)
            write(group, stream, lines)

        logs.write = watched

    # runs

    def start(self, release: str, **more: Any) -> str:
        """Start an execution of a release (its name here, or its id)."""
        trigger = more.pop("trigger", {"kind": "manual", "id": str(uuid.uuid4())})
        chosen = self.releases.get(release, release)
        request = {"schema": 1, "pipeline": "penguins", "release": chosen, "trigger": trigger, **more}
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=str(uuid.uuid4()), input=json.dumps(request)
        )
        return str(answer["executionArn"])

    def run(self, release: str, **more: Any) -> Seen:
        """Run a release and say what was seen."""
        told = self.watch()
        return self.seen(self.ended(self.start(release, **more)), told)

    def watch(self) -> int:
        """Begin to look; how many messages there are so far."""
        self._logged.clear()
        return self.told()

    def ended(self, arn: str) -> dict[str, Any]:
        """The execution's record, when it has ended."""
        machines: Any = self.cloud.services["stepfunctions"]
        found: dict[str, Any] = machines.executions.wait(arn, 60)
        if found["status"] == "RUNNING":
            history = self.client("stepfunctions").get_execution_history(
                executionArn=arn, reverseOrder=True, maxResults=5
            )
            raise AssertionError(f"the execution does not end: {json.dumps(history['events'], default=str)}")
        return found

    def told(self) -> int:
        """How many messages were published, alarms left aside."""
        return sum(not str(message["subject"]).startswith(("ALARM", "OK")) for message in self.topics.messages())

    def seen(self, record: Mapping[str, Any], told: int) -> Seen:
        """What an ended execution left."""
        run = run_id(record["executionArn"])
        output = json.loads(record.get("output") or "{}")
        return Seen(
            outcome=output.get("status") or record["status"],
            error=record.get("error") or "",
            recorded=self._item(f"PIPELINE#{self.deployment.pipeline}", f"RUN#{run}").get("status", ""),
            told=self.told() - told,
            lease="held"
            if self._item(f"ENDPOINT#{self.deployment.endpoint_name}", "LEASE").get("execution")
            else "free",
            serves=self._serves(run),
            left=self._left(),
            package=self._package(run),
            logged=frozenset(self._logged),
        )

    def _item(self, pk: str, sk: str) -> dict[str, Any]:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found = self.client("dynamodb").get_item(TableName=self.deployment.table, Key=key).get("Item", {})
        return {name: next(iter(value.values())) for name, value in found.items()}

    def config(self) -> str:
        """The configuration that the endpoint has; empty without an endpoint."""
        name = self.deployment.endpoint_name
        found = self.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
        if name not in {each["EndpointName"] for each in found}:
            return ""
        return str(self.client("sagemaker").describe_endpoint(EndpointName=name).get("EndpointConfigName", ""))

    def _serves(self, run: str) -> str:
        config = self.config()
        return "none" if not config else "its" if run in config else "another"

    def _package(self, run: str) -> str:
        client = self.client("sagemaker")
        group = self.deployment.model_package_group
        found = client.list_model_packages(ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending")
        for each in found["ModelPackageSummaryList"][:1]:
            described = client.describe_model_package(ModelPackageName=each["ModelPackageArn"])
            if described.get("CustomerMetadataProperties", {}).get("run") == run:
                return str(described["ModelApprovalStatus"])
        return ""

    def _left(self) -> tuple[int, int]:
        client = self.client("sagemaker")
        return len(client.list_models()["Models"]), len(client.list_endpoint_configs()["EndpointConfigs"])

    def wait_for_events(self, arn: str, kind: str, number: int) -> None:
        """Wait until the execution has had so many events of a kind, or has ended."""
        client = self.client("stepfunctions")
        until = self.cloud.clock.time() + 60
        while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
            events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
            if sum(event["type"] == kind for event in events) >= number:
                return
            assert self.cloud.clock.time() < until, f"{arn} did not come to {kind}: {events[-1]}"
            time.sleep(0.01)

    # what is deployed

    def resource(self, logical_id: str) -> Any:
        """A deployed resource's properties and its physical id."""
        formation: Any = self.cloud.services["cloudformation"]
        found = (stack.resources[logical_id] for stack in formation._stacks.values() if logical_id in stack.resources)
        return next(found)

    def physical(self, logical_id: str) -> str:
        """A resource's physical id."""
        return str(self.resource(logical_id)[1].id)

    def arn(self, logical_id: str) -> str:
        """A resource's ARN."""
        return str(self.resource(logical_id)[1].attributes["Arn"])

    def hosting_image(self) -> str:
        """The image that models are served by."""
        body = self.client("s3").get_object(
            Bucket=self.deployment.artifact_bucket, Key=f"releases/penguins/{self.releases['good']}.json"
        )["Body"]
        return str(json.loads(body.read())["deploy"]["image"])

    def subscribed_queue(self) -> str:
        """The ARN of a queue under the environment's key that is subscribed to the topic."""
        queue = self.client("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{self.cloud.account}:subscriber"
        self.cloud.iam.put_resource_key(arn, self.deployment.key_arn)
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        self.cloud.iam.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]})
        self.client("sns").subscribe(TopicArn=self.deployment.topic_arn, Protocol="sqs", Endpoint=arn)
        assert queue
        return arn

    # what there is before a run

    def point(self, key: str, release: str) -> None:
        """Let a pointer in the artifact bucket name a release."""
        body = json.dumps({"release": release}).encode()
        self.client("s3").put_object(Bucket=self.deployment.artifact_bucket, Key=key, Body=body)

    def leave_an_old_model(self) -> None:
        """Leave a model and a configuration of a run of long ago, made like those that serve."""
        run = uuid.uuid4().hex[:12]
        client, name = self.client("sagemaker"), f"penguins-{run}-0"
        item = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": f"RUN#{run}"}}
        self.client("dynamodb").put_item(TableName=self.deployment.table, Item=item)
        config = client.describe_endpoint_config(EndpointConfigName=self.config())
        (variant,) = config["ProductionVariants"]
        model = client.describe_model(ModelName=variant["ModelName"])
        client.create_model(
            ModelName=name, ExecutionRoleArn=model["ExecutionRoleArn"], PrimaryContainer=model["PrimaryContainer"]
        )
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{**variant, "ModelName": name}])

    def put_lease(self, execution: str, fence: int) -> None:
        """Give the endpoint's lease to an execution, for ever."""
        key = {"pk": {"S": f"ENDPOINT#{self.deployment.endpoint_name}"}, "sk": {"S": "LEASE"}}
        values = {"execution": {"S": execution}, "fence": {"N": str(fence)}}
        item = {**key, **values, "expires_at_epoch_seconds": {"N": "9999999999"}}
        self.client("dynamodb").put_item(TableName=self.deployment.table, Item=item)

    def serves_well(self) -> bool:
        """Whether there is an endpoint, in service."""
        if not self.config():
            return False
        self.settled()
        found = self.client("sagemaker").list_endpoints(StatusEquals="InService")["Endpoints"]
        return self.deployment.endpoint_name in {each["EndpointName"] for each in found}

    def break_endpoint(self) -> None:
        """Make an endpoint of an archive that is gone: it is Failed."""
        bucket, key, client = (
            self.deployment.artifact_bucket,
            "models/penguins/gone/model.tar.gz",
            self.client("sagemaker"),
        )
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
        container = {"Image": self.hosting_image(), "ModelDataUrl": f"s3://{bucket}/{key}"}
        client.create_model(ModelName="gone", ExecutionRoleArn=self.arn("HostingRole"), PrimaryContainer=container)
        self.client("s3").delete_object(Bucket=bucket, Key=key)
        variant = {"VariantName": "all", "ModelName": "gone", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
        client.create_endpoint_config(EndpointConfigName="gone", ProductionVariants=[variant])
        client.create_endpoint(EndpointName=self.deployment.endpoint_name, EndpointConfigName="gone")
        self.settled()
        found = client.describe_endpoint(EndpointName=self.deployment.endpoint_name)
        assert found["EndpointStatus"] == "Failed", found

    def absent(self) -> None:
        """See that there is no endpoint."""
        name = self.deployment.endpoint_name
        if self.config():
            self.settled()
            self.client("sagemaker").delete_endpoint(EndpointName=name)
            self.settled()
        assert not self.config()

    def settled(self) -> None:
        """Wait until nothing happens to the endpoint."""
        sagemaker: Any = self.cloud.services["sagemaker"]
        with suppress(AwsError):  # it is gone
            sagemaker.wait("Endpoint", self.deployment.endpoint_name, 60)

    def free(self) -> None:
        """Take the lease from whoever died with it, and forget the champion: runs of the past do not matter."""
        for pk, sk in (
            (f"ENDPOINT#{self.deployment.endpoint_name}", "LEASE"),
            (f"PIPELINE#{self.deployment.pipeline}", "CHAMPION"),
        ):
            self.client("dynamodb").delete_item(TableName=self.deployment.table, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def tidy(self) -> None:
        """See that there is no model and no configuration but what serves."""
        client, config = self.client("sagemaker"), self.config()
        for each in client.list_endpoint_configs()["EndpointConfigs"]:
            if each["EndpointConfigName"] != config:
                client.delete_endpoint_config(EndpointConfigName=each["EndpointConfigName"])
        kept = set()
        if config:
            variants = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
            kept = {variant["ModelName"] for variant in variants}
        for each in client.list_models()["Models"]:
            if each["ModelName"] not in kept:
                client.delete_model(ModelName=each["ModelName"])
