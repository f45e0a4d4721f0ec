"""The callers' policies: the commands run as a role that has them and nothing else, and no action stays unused."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from policy_surgery import Decisions

from modelwright.cli import main, platform
from modelwright.client.caller_policy import (
    Place,
    Statement,
    batch_policy,
    destroy_policy,
    document,
    export_policy,
    produce_policy,
    run_policy,
)
from modelwright.client.deployment import find_deployment
from modelwright.client.models import export
from modelwright.client.models.packages import newest_package
from modelwright.client.runs import executions
from modelwright.client.session import Endpoint, Session
from modelwright.config.execution import ExecutionInput, Trigger
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.client.deployment import Deployment

FIND_MODEL = export.find_model
REPOSITORY = Path(__file__).parents[3]
REGION, ACCOUNT = "eu-central-1", "123456789012"
PLACE = Place("dev", REGION, ACCOUNT, ("penguins",))
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]
}
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def cloud(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("cloud"), REGION)
    made.start()
    try:
        deploy(made, assembly)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def decisions(cloud: Cloud) -> Decisions:
    return Decisions(cloud)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project in a repository of git, with its pipeline committed."""
    for name in ("cdk.json", "app.py", "environments"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "training_code/penguins", tmp_path / "training_code/penguins", ignore=ignored)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "training_code"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
    return tmp_path


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main.run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def become(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, name: str, statements: Sequence[Statement]) -> Session:
    """From now on, `--aws` is the local cloud, and whoever calls has these statements and nothing else."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    cloud.iam.put_role(arn, TRUST, {"policy": document(statements)})
    keys = cloud.callers.session(arn)
    where = Endpoint(cloud.endpoint_url, keys.access_key, keys.secret_key, keys.session_token)
    monkeypatch.setattr(platform, "Session", lambda region, **_: Session(region, lambda: where))
    return Session(REGION, lambda: where)


def used(decisions: Decisions, name: str) -> set[tuple[str, str]]:
    """Sid and action of each grant of the role that decided something."""
    return {(ref.statement, action) for ref, action, _ in decisions.used if ref.owner.endswith(f"role/{name}")}


def granted(statements: Sequence[Statement]) -> set[tuple[str, str]]:
    return {(item["Sid"], action) for item in statements for action in map(str.lower, item["Action"])}


ROW = "Adelie,Torgersen,39.1,18.7,181,3750"
ROW_OF_JSON = (
    '{"species": "Adelie", "island": "Torgersen", "bill_length_mm": 39.1, "bill_depth_mm": 18.7, '
    '"flipper_length_mm": 181, "body_mass_g": 3750}'
)
COMMANDS = [
    ("run", "penguins"),
    ("runs",),
    ("show", "last"),
    ("logs", "last", "TrainModel"),
    ("logs", "last", "PrepareRun"),
    ("logs", "penguins", "--endpoint"),
    ("predict", "penguins", "--file", "training_code/penguins/data/smoke.csv"),
    ("release", "penguins", "--default"),
    ("emit", "merge", "penguins"),
    ("status",),
    ("dashboard", "penguins"),
]


NOT_ASKED_HERE = {
    ("WhyAStackStays", "cloudformation:describestackevents"): "the local cloud has no events: a stack says its reason",
}


def test_who_runs_and_who_destroys(
    cloud: Cloud, decisions: Decisions, project: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = run_policy(PLACE)
    session = become(cloud, monkeypatch, "runner", statements)
    decisions.forget()
    for command in COMMANDS:
        code, out, err = say(*command, "--aws")
        assert code == 0, f"{command}: {out}{err}"
    stop_a_run(session)
    assert granted(statements) - used(decisions, "runner") == set(), "nothing is granted that no command needs"

    more = produce_policy(PLACE)
    without_twice = [item for item in statements if item["Sid"] not in {each["Sid"] for each in more}]
    become(cloud, monkeypatch, "producer", [*without_twice, *more])
    code, out, err = say("emit", "data", "penguins", "--aws")
    assert code == 0, out + err
    assert granted(more) - used(decisions, "producer") == set()

    statements = export_policy(PLACE)
    session = become(cloud, monkeypatch, "exporter", statements)
    code, out, err = say("export", "penguins", "--to", "onnx", "--aws")
    assert code == 0, out + err
    with monkeypatch.context() as patch:
        patch.setattr(export, "find_model", served_by_its_script)
        code, out, err = say("export", "penguins", "--to", "onnx", "--aws")
    assert code == 0, out + err
    assert newest_package(session, find_deployment(session, "dev", "penguins")), "what is exported without an endpoint"
    assert granted(statements) - used(decisions, "exporter") == set()

    statements = batch_policy(PLACE)
    become(cloud, monkeypatch, "asker", statements)
    decisions.forget()
    ask_about_files(cloud, project, say)
    assert granted(statements) - used(decisions, "asker") == set()

    statements = destroy_policy(PLACE)
    become(cloud, monkeypatch, "destroyer", statements)
    run_without_end(cloud)
    batch_without_end(cloud)
    code, out, err = say("destroy", "penguins", "--aws", "--data", "--yes")
    assert code == 0, out + err
    assert "verified: no endpoint, endpoint config, model, job, alarm or stack of penguins is left in dev" in out
    assert granted(statements) - used(decisions, "destroyer") == set(NOT_ASKED_HERE)


def served_by_its_script(session: Session, deployment: Deployment, endpoint: str) -> export.RegisteredModel:
    """The champion as it would be with `serve: python`: the archive that the compiled one was made of."""
    found = FIND_MODEL(session, deployment, endpoint)
    package = session.client("sagemaker").describe_model_package(ModelPackageName=found.package)
    packed = package["CustomerMetadataProperties"]["pythonHash"]
    return replace(found, uri=found.uri.replace(found.sha256, packed), sha256=packed, compiled=False)


def stop_a_run(session: Session) -> None:
    """What Ctrl-C does."""
    found = find_deployment(session, "dev", "penguins")
    arn = executions.start(session, found, _request())
    executions.stop(session, arn, "Ctrl-C")


def ask_about_files(cloud: Cloud, project: Path, say: Say) -> None:
    """Run `batch` in all its ways."""
    (project / "good.csv").write_text(f"{ROW}\n{ROW}\n")
    (project / "bad.csv").write_text(f"{ROW}\nnothing,like,a,b,c,d\n")
    code, out, err = say("batch", "penguins", "--input", "good.csv", "--output", "got", "--aws")
    assert code == 0, out + err
    assert len((project / "got" / "good.csv.out").read_text().splitlines()) == 2
    code, out, err = say("batch", "penguins", "--input", "bad.csv", "--aws")
    assert (code, "bad.csv: " in err) == (1, True), out + err
    owner = cloud.client("s3")
    data = next(item["Name"] for item in owner.list_buckets()["Buckets"] if "databucket" in item["Name"])
    owner.put_object(Bucket=data, Key="incoming/penguins/asked/a.csv", Body=f"{ROW}\n".encode())
    code, out, err = say("batch", "penguins", "--input", f"s3://{data}/incoming/penguins/asked/", "--aws")
    assert code == 0, out + err
    change_the_model(cloud)
    settings = project / "training_code" / "penguins" / "pipeline.yaml"
    before = settings.read_text()
    without = re.sub("^deploy: .*$", "deploy: {endpoint: none}", before, flags=re.MULTILINE)
    settings.write_text(without.replace("batch: {", "batch: {max_runtime_seconds: 1, "))
    (project / "many.jsonl").write_text(f"{ROW_OF_JSON}\n" * 20_000)
    code, out, err = say("batch", "penguins", "--input", "many.jsonl", "--aws")
    settings.write_text(before)
    assert (code, "is Stopped" in err) == (1, True), out + err


def change_the_model(cloud: Cloud) -> None:
    """The model for batch transform is another's: `batch` makes it anew."""
    client = cloud.client("sagemaker")
    name = next(each["ModelName"] for each in client.list_models()["Models"] if each["ModelName"].endswith("-bt"))
    found = client.describe_model(ModelName=name)
    client.delete_model(ModelName=name)
    container = {key: found["PrimaryContainer"][key] for key in ("Image", "ModelDataUrl")}
    client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=found["ExecutionRoleArn"])


def batch_without_end(cloud: Cloud) -> None:
    """A batch job that is under way when its pipeline is destroyed: the last one again."""
    client = cloud.client("sagemaker")
    last = client.list_transform_jobs(NameContains="dev-penguins-batch-", StatusEquals="Stopped")[
        "TransformJobSummaries"
    ][0]
    found = client.describe_transform_job(TransformJobName=last["TransformJobName"])
    again = ("ModelName", "BatchStrategy", "TransformInput", "TransformOutput", "TransformResources", "DataProcessing")
    name = "dev-penguins-batch-0123456789ab-00"
    client.create_transform_job(TransformJobName=name, **{key: found[key] for key in again})


def run_without_end(cloud: Cloud) -> None:
    """A run that is under way when its pipeline is destroyed: its script waits."""
    owner = cloud.callers.owner
    session = Session(REGION, lambda: Endpoint(cloud.endpoint_url, owner.access_key, owner.secret_key))
    executions.start(session, find_deployment(session, "dev", "penguins"), _request())


def _request() -> ExecutionInput:
    return ExecutionInput("penguins", "default", Trigger("manual", executions.new_trigger_id()), None, {})


@pytest.mark.parametrize(
    ("command", "action"), [(("runs",), "states:ListExecutions"), (("run", "penguins"), "s3:PutObject")]
)
def test_without_the_grant_the_command_says_what_is_lacking(  # noqa: PLR0917 # fixtures
    cloud: Cloud,
    assembly: Path,
    project: Path,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    action: str,
) -> None:
    lacking = [item | {"Action": [name for name in item["Action"] if name != action]} for item in run_policy(PLACE)]
    formation: Any = cloud.services["cloudformation"]
    formation.deploy(assembly, revive=["mw-dev-penguins"])
    become(cloud, monkeypatch, "lacking", [item for item in lacking if item["Action"]])
    code, _, err = say(*command, "--aws")
    assert code == 1
    assert f"is not authorized to perform: {action} on resource: " in err
    assert err.endswith("The identity in use lacks this permission.\n")
