"""A pipeline with every alarm there is in a local cloud inside this process, and what makes them go off."""

from __future__ import annotations

import json
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alarm_watch import the_alarm
from botocore.exceptions import ClientError
from pipeline_ground import Ground
from pipeline_scripts import SCRIPTS

from modelwright.cli.alarm_notice import alarm_notice, readable
from modelwright.client.endpoints import api
from modelwright.client.releases import publishing
from modelwright.config import load_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from skewed_clock import SkewedClock

    from modelwright.local.cloud import Cloud

PROJECT = Path(__file__).resolve().parents[2]
LINKED = ("app.py", "cdk.json", "stacks", "lambdas")
ENVIRONMENT = """\
region: eu-central-1
alarms: {metric_floors: {accuracy: 0.7}}
"""
DEPLOY = "deploy: {api: {authorization: iam, requests_per_second: 1000, burst: 1000}, "
TRIGGERS = "triggers: {merge: {codecommit: birds, branch: main}, schedule: rate(7 days), data: {every_records: 10}}\n"
NO_RELEASE = "0" * 64
SLOWER_THAN_ALLOWED = 1.2
"""seconds; the environment allows one"""
_INFERENCE = f"""
import json, time
def model_fn(folder): return 1
def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == "application/json":
        text = "head\\n" + json.loads(text)["instances"][0]["x"]
    if "wrong" in text:
        raise ValueError("no such column")
    return text.splitlines()[1:]
def predict_fn(rows, model):
    if "break" in rows:
        raise RuntimeError("broken")
    if "slow" in rows:
        time.sleep({SLOWER_THAN_ALLOWED})
    return [model for _ in rows]
def output_fn(found, accept): return json.dumps({{"predictions": found}}), "application/json"
"""
RELEASES: Mapping[str, Mapping[str, str]] = {
    "good": {"inference.py": _INFERENCE},
    "bad": {"evaluate.py": SCRIPTS["evaluate.py"].replace("0.9", "0.5")},
    "endless": {"process.py": "import time\ntime.sleep(600)\n"},
}


def fullest_project(folder: Path) -> Path:
    """Make `folder` a project whose one pipeline has every kind of trigger and every alarm."""
    folder.mkdir()
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    (folder / "environments").mkdir()
    (folder / "environments" / "dev.yaml").write_text(ENVIRONMENT)
    pipeline = folder / "training_code" / "penguins"
    shutil.copytree(PROJECT / "training_code" / "penguins", pipeline)
    lines = (pipeline / "pipeline.yaml").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("triggers:")]
    (pipeline / "pipeline.yaml").write_text("".join([*kept, TRIGGERS]).replace("deploy: {", DEPLOY))
    for name, text in SCRIPTS.items():
        (pipeline / name).write_text(text)
    return folder


class AlarmStage(Ground):
    """The cloud, the deployed pipeline, its releases, and the inbox."""

    def __init__(self, cloud: Cloud, clock: SkewedClock, root: Path, folder: Path) -> None:
        super().__init__(cloud)
        self.clock = clock
        self.monitoring: Any = cloud.services["cloudwatch"]
        self.runtime: Any = cloud.services["sagemaker-runtime"]
        self.apis: Any = cloud.services["apigateway"]
        self.releases = {name: self._publish(root, folder / name, scripts) for name, scripts in RELEASES.items()}

    def _publish(self, root: Path, copy: Path, scripts: Mapping[str, str]) -> str:
        shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns("cdk.out", ".modelwright"))
        for name, text in scripts.items():
            (copy / "training_code" / "penguins" / name).write_text(text)
        project = load_project(copy, "dev")
        return publishing.publish_folder(
            self.session, project, project.pipeline("penguins"), self.deployment, default=True
        )

    def alarms(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return found

    def calm(self) -> None:
        """Go on to a time at which nothing that happened before counts any more."""
        self.runtime.flush()
        self.apis.flush()
        self.clock.advance(hours=1)
        self.monitoring.evaluate()

    def told(self, act: Callable[[], object], watched: frozenset[str], saying: str = "") -> str:
        """Act, and return what the inbox shows of the alarm that watches these metrics."""
        name = the_alarm(self.alarms(), watched, saying)["AlarmName"]
        before = len(self.topics.messages())
        act()
        self.runtime.flush()
        self.apis.flush()
        notices = [alarm_notice(message["message"]) for message in self.topics.messages()[before:]]
        mine = [notice for notice in notices if notice and notice["AlarmName"] == name]
        assert len(mine) == 1, f"{name} told {len(mine)} times of {[each and each['AlarmName'] for each in notices]}"
        assert (mine[0]["NewStateValue"], len(mine[0]["AlarmDescription"]) > 0) == ("ALARM", True)
        return readable(mine[0])

    # what happens

    def run(self, release: str) -> str:
        """Run a release to its end; what became of the execution."""
        request = {
            "schema": 1,
            "pipeline": "penguins",
            "release": self.releases.get(release, release),
            "trigger": {"kind": "manual", "id": str(uuid.uuid4())},
        }
        arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=str(uuid.uuid4()), input=json.dumps(request)
        )["executionArn"]
        machines: Any = self.cloud.services["stepfunctions"]
        return str(machines.executions.wait(arn, 60)["status"])

    def ask(self, rows: str, times: int = 1) -> None:
        """Ask the endpoint, whatever it answers."""
        client = self.client("sagemaker-runtime")
        for _ in range(times):
            with suppress(ClientError):
                client.invoke_endpoint(
                    EndpointName=self.deployment.endpoint_name, ContentType="text/csv", Body=f"head\n{rows}\n"
                )

    def ask_api(self, text: str, times: int = 1) -> set[int]:
        """Ask the REST API; with which statuses it answered."""
        way = api.way_of(self.session, self.deployment)
        return {api.ask(self.session, way, [{"x": text}]).status for _ in range(times)}

    def invoke(self, logical_id: str, payload: str = "{}") -> None:
        """Call a function by hand, whatever it answers."""
        with suppress(ClientError):
            self.client("lambda").invoke(FunctionName=self.physical(logical_id), Payload=payload.encode())
