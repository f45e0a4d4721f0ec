"""The synthesized pipeline in a local cloud inside this process, with scripts that take no time, and what a run leaves.

Only the scripts are others than the project's: the template holds none of them.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_ground import Ground
from pipeline_scripts import RELEASES, SCRIPTS

from modelwright.client.releases import publishing
from modelwright.client.runs.executions import run_id
from modelwright.config import load_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

PROJECT = Path(__file__).resolve().parents[2]


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


class Stage(Ground):
    """One local cloud with the pipeline deployed and its releases published."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        super().__init__(cloud)
        self.releases = {
            name: self._publish(folder / name, scripts, serve="onnx" if name == "compilable" else "auto")
            for name, scripts in RELEASES.items()
        }
        self.releases["strict"] = self._publish(folder / "strict", {}, gate="accuracy >= 0.99")
        self._logged: set[str] = set()
        self._watch_logs()

    def _publish(
        self, folder: Path, scripts: Mapping[str, str], gate: str = "accuracy >= 0.80", serve: str = "auto"
    ) -> str:
        pipeline = folder / "training_code" / "penguins"
        shutil.copytree(PROJECT / "environments", folder / "environments")
        shutil.copytree(PROJECT / "training_code" / "penguins", pipeline)
        settings = (pipeline / "pipeline.yaml").read_text()
        assert "accuracy >= 0.80" in settings
        assert "deploy: {" in settings
        settings = settings.replace("accuracy >= 0.80", gate).replace(
            "deploy: {", f"deploy: {{serve: {serve}, keep: 1, "
        )
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

    @property
    def logged(self) -> frozenset[str]:
        """The log groups that were written since `watch`."""
        return frozenset(self._logged)

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
            recorded=self.recorded(record["executionArn"]),
            told=self.told() - told,
            lease="held"
            if self._item(f"ENDPOINT#{self.deployment.endpoint_name}", "LEASE").get("execution")
            else "free",
            serves=self._serves(run),
            left=self._left(),
            package=self._package(run),
            logged=frozenset(self._logged),
        )

    def recorded(self, arn: str) -> str:
        """An execution's status in the table."""
        return str(self._item(f"PIPELINE#{self.deployment.pipeline}", f"RUN#{run_id(arn)}").get("status", ""))

    def goes_on(self, run: str) -> str:
        """Let a run be as it was before its end, with the lease; its execution."""
        key = {"pk": {"S": f"PIPELINE#{self.deployment.pipeline}"}, "sk": {"S": f"RUN#{run}"}}
        execution = str(self._item(key["pk"]["S"], key["sk"]["S"])["execution"])
        self.client("dynamodb").update_item(
            TableName=self.deployment.table,
            Key=key,
            UpdateExpression="SET #status = :running REMOVE untested",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":running": {"S": "Running"}},
        )
        self.put_lease(execution, 1)
        return execution

    def tell_ended(self, execution: str, **more: Any) -> None:
        """Tell of an execution that was stopped, as Step Functions does."""
        machine = self.deployment.state_machine_arn
        detail = {"executionArn": execution, "stateMachineArn": machine, "status": "ABORTED", **more}
        kind = "Step Functions Execution Status Change"
        self.cloud.publish_event({"source": "aws.states", "detail-type": kind, "resources": [], "detail": detail})

    def _item(self, pk: str, sk: str) -> dict[str, Any]:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found = self.client("dynamodb").get_item(TableName=self.deployment.table, Key=key).get("Item", {})
        return {name: next(iter(value.values())) for name, value in found.items()}

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
