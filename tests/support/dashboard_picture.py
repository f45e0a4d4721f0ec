"""`docs/dashboard.svg`: the project's own pipeline really run and asked, over weeks of a clock that is moved on.

`python tests/support/dashboard_picture.py` draws it anew; `tests/local/alarms` fails when a widget is not in it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from own_environments import project_with  # noqa: E402 - this folder is found by now
from pipeline_ground import REGION, Ground  # noqa: E402 - as above
from skewed_clock import SkewedClock  # noqa: E402 - as above

from modelwright.client.dashboards.data import Range, read_dashboard  # noqa: E402 - as above
from modelwright.client.dashboards.svg import draw  # noqa: E402 - as above
from modelwright.client.deploys.synth import ensure_assembly  # noqa: E402 - as above
from modelwright.client.releases import publishing  # noqa: E402 - as above
from modelwright.config import load_project  # noqa: E402 - as above
from modelwright.local.cloud import Cloud  # noqa: E402 - as above
from modelwright.local.daemon.deployed import deploy  # noqa: E402 - as above

ENVIRONMENT = "region: eu-central-1\nalarms: {metric_floors: {accuracy: 0.7}, endpoint_latency_ms: 50}\n"
DAYS_BETWEEN = 3.5
STRENGTHS = ("0.02", "0.05", "0.1", "0.3", "0.0001", "1.0", "3.0", "1.0")
"""of the regularization; the fifth makes a bad model"""
NO_RELEASE = "0" * 64


class Weeks(Ground):
    """A cloud with the project's pipeline, and what happens to it."""

    def __init__(self, cloud: Cloud, clock: SkewedClock, root: Path) -> None:
        super().__init__(cloud)
        self.clock = clock
        self.events.fire_due = list  # weeks go by in seconds: no run of the schedule is to begin in between
        project = load_project(root, "dev")
        self.release = publishing.publish_folder(
            self.session, project, project.pipeline("penguins"), self.deployment, default=True
        )
        self.rows = (root / "training_code" / "penguins" / "data" / "smoke.csv").read_bytes()

    def run(self, release: str, **more: Any) -> None:
        trigger = {"kind": "manual", "id": str(uuid.uuid4())}
        request = {"schema": 1, "pipeline": "penguins", "release": release, "trigger": trigger, **more}
        arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=str(uuid.uuid4()), input=json.dumps(request)
        )["executionArn"]
        machines: Any = self.cloud.services["stepfunctions"]
        machines.executions.wait(arn, 60)

    def ask(self, times: int) -> None:
        client = self.client("sagemaker-runtime")
        for _ in range(times):
            client.invoke_endpoint(EndpointName=self.deployment.endpoint_name, ContentType="text/csv", Body=self.rows)
        runtime: Any = self.cloud.services["sagemaker-runtime"]
        runtime.flush()

    def happen(self) -> None:
        for number, strength in enumerate(STRENGTHS):
            self.run(self.release, overrides={"C": strength})
            if number == 2:
                self.run(NO_RELEASE)
            for part in range(4):
                self.ask(8 + 3 * ((number + part) % 4))
                self.clock.advance(days=DAYS_BETWEEN / 4)
        self.run(self.release, overrides={"C": STRENGTHS[-1]})
        self.ask(10)

    def picture(self) -> str:
        now = self.clock.now()
        start = now.fromtimestamp(now.timestamp() - 28.5 * 86_400, now.tzinfo)
        monitoring: Any = self.cloud.services["cloudwatch"]
        monitoring.evaluate()
        return draw(read_dashboard(self.session, self.deployment, Range(start, now)))


def main(out: Path) -> None:
    """Run, ask, draw."""
    with tempfile.TemporaryDirectory() as folder:
        root = project_with(Path(folder) / "project", dev=ENVIRONMENT)
        assembly = ensure_assembly(root, "dev")
        clock = SkewedClock()
        clock.advance(days=-DAYS_BETWEEN * len(STRENGTHS))
        scripts = (root / "training_code" / "penguins",)
        cloud = Cloud(Path(folder) / "cloud", REGION, clock=clock, scripts=scripts)
        cloud.start()
        try:
            deploy(cloud, assembly)
            weeks = Weeks(cloud, clock, root)
            weeks.happen()
            out.write_text(weeks.picture(), encoding="utf-8")
        finally:
            cloud.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "docs" / "dashboard.svg")
