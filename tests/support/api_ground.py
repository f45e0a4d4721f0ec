"""A pipeline with a REST API in a local cloud inside this process: deployed, trained, with a schema and a hook."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_ground import Ground
from pipeline_scripts import SCRIPTS
from trial_pages import SCHEMA

from modelwright.client.deploys.synth import ensure_assembly
from modelwright.client.endpoints import api
from modelwright.client.releases import publishing
from modelwright.config import load_project
from modelwright.local.daemon.deployed import deploy

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

PROJECT = Path(__file__).resolve().parents[2]
LINKED = ("app.py", "cdk.json", "stacks", "lambdas", "environments")
GOOD = {"species": "Adelie", "island": "Dream", "bill_length_mm": 39.1, "year": 2008, "tagged": True}
INFERENCE = """
import json
def model_fn(folder): return 1
def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == "text/csv":
        return [{"species": "smoke"} for _ in text.splitlines()[1:]]
    return json.loads(text)["instances"]
def predict_fn(rows, model):
    if any(row.get("species") == "break" for row in rows):
        raise RuntimeError("broken")
    if any(row.get("species") == "large" for row in rows):
        return [{"sex": "x" * 6_100_000}]
    return [{"sex": "male", "probability": {"female": 0.25, "male": 0.75}, "row": row} for row in rows]
def output_fn(found, accept): return json.dumps({"predictions": found}), "application/json"
"""
HOOK = """
def preprocess(rows):
    made = []
    for row in rows:
        if "bill_cm" in row:
            row["bill_length_mm"] = float(row.pop("bill_cm")) * 10
        if row.get("species") == "hook breaks":
            raise KeyError("as asked")
        made.append(row)
    return made
"""


def make_project(folder: Path, api_settings: str, serve: str = "python") -> Path:
    """Write the project: penguins with `deploy.api` as given and scripts that take no time."""
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    pipeline = folder / "training_code" / "penguins"
    shutil.copytree(PROJECT / "training_code" / "penguins", pipeline, ignore=shutil.ignore_patterns("__pycache__"))
    settings = (pipeline / "pipeline.yaml").read_text()
    assert "deploy: {" in settings
    settings = settings.replace("deploy: {", f"deploy: {{serve: {serve}, api: {api_settings}, ")
    (pipeline / "pipeline.yaml").write_text(settings)
    for name, text in {**SCRIPTS, "inference.py": INFERENCE, "hook.py": HOOK}.items():
        (pipeline / name).write_text(text)
    return folder


class ApiGround(Ground):
    """The cloud with the pipeline; its model serves."""

    def __init__(self, cloud: Cloud, root: Path) -> None:
        deploy(cloud, ensure_assembly(root, "dev"))
        super().__init__(cloud)
        self.root = root
        self.way = api.way_of(self.session, self.deployment)
        assert self.run() == "Deployed"

    def run(self) -> str:
        """Publish the folder as it is and run it; the result's status."""
        project = load_project(self.root, "dev")
        release = publishing.publish_folder(
            self.session, project, project.pipeline("penguins"), self.deployment, default=True
        )
        trigger = {"kind": "manual", "id": str(uuid.uuid4())}
        request = {"schema": 1, "pipeline": "penguins", "release": release, "trigger": trigger}
        arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=str(uuid.uuid4()), input=json.dumps(request)
        )["executionArn"]
        machines: Any = self.cloud.services["stepfunctions"]
        found = machines.executions.wait(arn, 60)
        return str(json.loads(found["output"])["status"]) if found["status"] == "SUCCEEDED" else str(found)

    def learn(self, schema: dict[str, Any] | None = SCHEMA) -> None:
        """Give the model that serves this schema, or none; one that no function has seen before."""
        model = uuid.uuid4().hex * 2
        if schema is not None:
            key, body = f"models/penguins/{model}/schema.json", json.dumps(schema).encode()
            self.client("s3").put_object(Bucket=self.deployment.artifact_bucket, Key=key, Body=body)
        self.point_champion(model_sha256=model)

    def point_champion(self, **texts: str) -> None:
        """Change what the table says of the champion."""
        key = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": "CHAMPION"}}
        self.client("dynamodb").update_item(
            TableName=self.deployment.table,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in texts),
            ExpressionAttributeNames={f"#{name}": name for name in texts},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in texts.items()},
        )

    def ask(self, *rows: Any) -> api.Answer:
        """Ask the REST API for predictions."""
        return api.ask(self.session, self.way, list(rows))

    def new_processes(self) -> None:
        """Let the function's next call be its process' first, which knows nothing yet: it is changed."""
        name = self.physical("ServeApiFunction")
        self.client("lambda").update_function_configuration(FunctionName=name, Description=str(uuid.uuid4()))
