"""The workflow that is shipped: its file, and its own shell commands as a runner has them, against the local cloud."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError
from github_project import ON_GITHUB, SUBJECT, check_out, commit, replace

from modelwright.client.github import Workflow
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipeline_ground import Ground

    from modelwright.local.cloud import Cloud

FILE = ".github/workflows/modelwright-dev-penguins.yml"
REGION = "eu-central-1"
SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell"""


def variables(cloud: Cloud, keys: Mapping[str, str], **more: str) -> dict[str, str]:
    """A process's environment with these keys, on this endpoint."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWRIGHT_", "GIT"))}
    return {**kept, **keys, "AWS_ENDPOINT_URL": cloud.endpoint_url, "AWS_REGION": REGION, **more}


def owner(cloud: Cloud) -> dict[str, str]:
    keys = cloud.callers.owner
    return {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}


@pytest.fixture(scope="module")
def workflow(project: Path, ground: Ground) -> dict[Any, Any]:
    """The file, written as an operator writes it after a deploy, and committed."""
    command = [str(project / ".venv/bin/modelwright"), "github", "penguins"]
    subprocess.run(["make", "--silent", "setup"], cwd=project, check=True)
    done = subprocess.run(
        command,
        cwd=project,
        env=variables(ground.cloud, owner(ground.cloud)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    head, advice = done.stdout.splitlines()
    assert head == FILE
    assert advice == "Commit it: each push to main that changes training_code/penguins publishes it."
    commit(project, "the workflow")
    found: dict[Any, Any] = yaml.safe_load((project / FILE).read_text())
    return found


def job(workflow: Mapping[Any, Any]) -> dict[str, Any]:
    (found,) = workflow["jobs"].values()
    return dict(found)


def test_it_runs_on_pushes_of_the_branch_that_change_the_folder_and_on_nothing_else(workflow: dict[Any, Any]) -> None:
    # YAML 1.1, which PyYAML reads, takes `on` for true
    assert workflow[True] == {"push": {"branches": ["main"], "paths": ["training_code/penguins/**"]}}
    assert job(workflow)["if"] == "github.repository == 'octo-org/octo-repo'"
    assert "environment" not in job(workflow)  # it would change the token's subject


def test_it_may_read_the_repository_and_ask_for_a_token_and_nothing_else(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {}
    assert job(workflow)["permissions"] == {"contents": "read", "id-token": "write"}


def test_one_push_is_published_after_the_other(workflow: dict[Any, Any]) -> None:
    assert workflow["concurrency"] == {"group": "modelwright-dev-penguins", "cancel-in-progress": False}


def test_actions_are_pinned_by_their_commit_with_the_version_beside_it(project: Path, workflow: dict[Any, Any]) -> None:
    used = [step["uses"] for step in job(workflow)["steps"] if "uses" in step]
    assert [name.partition("@")[0] for name in used] == ["actions/checkout", "aws-actions/configure-aws-credentials"]
    text = (project / FILE).read_text()
    assert all(re.search(rf"uses: {re.escape(name)} # v\d+\.\d+\.\d+\n", text) for name in used)
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) for name in used)


def test_nothing_is_left_to_fill_in(project: Path, workflow: dict[Any, Any]) -> None:
    assert not re.search(r"@[A-Z_/]+@", (project / FILE).read_text())


def test_keys_are_there_for_the_last_step_only(workflow: dict[Any, Any], ground: Ground) -> None:
    *_, take, publish = job(workflow)["steps"]
    assert take["with"]["role-to-assume"] == ground.deployment.github_role
    assert take["with"]["aws-region"] == REGION
    assert "run" in publish


def test_a_project_in_a_folder_of_its_repository_works_there(ground: Ground) -> None:
    made = Workflow("penguins", "dev", REGION, ON_GITHUB, "main", "arn:of:role", "ml/models/")
    found = yaml.safe_load(made.text())
    assert found[True]["push"]["paths"] == ["ml/models/training_code/penguins/**"]
    assert job(found)["defaults"]["run"]["working-directory"] == "ml/models"


class Runner:
    """Runs the workflow's steps in a fresh checkout; configure-aws-credentials is what STS does for it."""

    def __init__(self, cloud: Cloud, project: Path, folder: Path, workflow: Mapping[Any, Any]) -> None:
        self.cloud = cloud
        self.folder = check_out(project, folder)
        self.sha = commit_of(self.folder)
        self.steps: list[dict[str, Any]] = job(workflow)["steps"]
        self.keys: dict[str, str] = {}

    def run(self, subject: str = SUBJECT) -> subprocess.CompletedProcess[str]:
        """Run the steps up to the first that fails; the last that ran."""
        done = None
        for step in self.steps:
            if step.get("uses", "").startswith("aws-actions/"):
                self.keys = self.take(step["with"], subject)
            elif "run" in step:
                done = subprocess.run(
                    [*SHELL, step["run"]],
                    cwd=self.folder,
                    env=self.variables(),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    break
        assert done is not None
        return done

    def take(self, given: Mapping[str, Any], subject: str) -> dict[str, str]:
        """What the action does: https://github.com/aws-actions/configure-aws-credentials#assuming-a-role."""
        identity: Any = self.cloud.services["sts"]
        answer = self.cloud.client("sts").assume_role_with_web_identity(
            RoleArn=given["role-to-assume"],
            RoleSessionName="GitHubActions",
            WebIdentityToken=identity.token(subject),
            DurationSeconds=given["role-duration-seconds"],
        )
        names = {
            "AccessKeyId": "AWS_ACCESS_KEY_ID",
            "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
            "SessionToken": "AWS_SESSION_TOKEN",
        }
        return {variable: answer["Credentials"][name] for name, variable in names.items()}

    def variables(self) -> dict[str, str]:
        """https://docs.github.com/en/actions/reference/workflows-and-actions/variables."""
        given = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": self.sha, "GITHUB_REF": "refs/heads/main"}
        return variables(self.cloud, self.keys, **given)


def commit_of(folder: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def runner(ground: Ground, project: Path, workflow: dict[Any, Any], tmp_path: Path) -> Runner:
    """A runner at a new commit."""
    script = project / "training_code" / "penguins" / "train.py"
    replace(script, "\n", f"\n# {tmp_path.name}\n")
    commit(project, f"a change for {tmp_path.name}")
    return Runner(ground.cloud, project, tmp_path / "checkout", workflow)


@contextmanager
def quiet(ground: Ground) -> Iterator[None]:
    """Nothing is started: what reaches the rule becomes a dead letter, and can be read."""
    rule = next(ref for ref in ground.cloud.iam.statements() if ref.statement == "StartExecutions")
    with ground.cloud.iam.without(rule):
        yield


def dead_letters(ground: Ground) -> list[dict[str, Any]]:
    return [json.loads(message["body"]) for message in ground.queues.messages()]


def test_a_push_publishes_its_commit_and_announces_it(runner: Runner, ground: Ground) -> None:
    with quiet(ground):
        done = runner.run()
    assert (done.returncode, done.stderr) == (0, "")
    release = done.stdout.strip()
    bucket = ground.deployment.artifact_bucket
    client = ground.client("s3")
    pointer = client.get_object(Bucket=bucket, Key=f"commits/penguins/{runner.sha}.json")["Body"].read()
    assert json.loads(pointer) == {"release": release}
    manifest = json.loads(client.get_object(Bucket=bucket, Key=f"releases/penguins/{release}.json")["Body"].read())
    assert (manifest["commit"], manifest["clean"]) == (runner.sha, True)
    event = dead_letters(ground)[-1]
    assert event["detail"] == {"pipeline": "penguins", "branch": "main", "commit": runner.sha, "release": release}


def test_what_was_pushed_is_trained(runner: Runner, ground: Ground) -> None:
    done = runner.run()
    assert done.returncode == 0, done.stderr
    client, machine = ground.client("stepfunctions"), ground.deployment.state_machine_arn
    newest = client.list_executions(stateMachineArn=machine)["executions"][0]
    machines: Any = ground.cloud.services["stepfunctions"]
    record = machines.executions.wait(newest["executionArn"], 60)
    result = json.loads(record["output"])
    assert (result["status"], result["release"]) == ("Deployed", done.stdout.strip())


@pytest.mark.parametrize(
    "subject",
    [
        SUBJECT.replace("main", "dev"),
        SUBJECT.replace("main", "main-2"),
        SUBJECT.replace("heads", "tags"),
        SUBJECT.replace("octo-repo@2", "octo-repo@3"),
        SUBJECT.replace("octo-org@1", "a-fork@9"),
        "repo:octo-org/octo-repo:ref:refs/heads/main",
        "repo:octo-org@1/octo-repo@2:pull_request",
        "repo:octo-org@1/octo-repo@2:environment:main",
    ],
)
def test_whoever_is_not_this_branch_of_this_repository_gets_no_keys(runner: Runner, subject: str) -> None:
    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        runner.run(subject)


def test_an_event_that_may_not_be_put_fails_the_step(runner: Runner, ground: Ground) -> None:
    grant = next(ref for ref in ground.cloud.iam.statements() if ref.statement == "AnnounceMerges")
    with ground.cloud.iam.without(grant):
        done = runner.run()
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.match(r"error: PutEvents was refused: User: .*/GitHubActions is not authorized to perform:", done.stderr)


def test_an_event_that_was_not_taken_fails_the_step_though_the_answer_is_200(
    runner: Runner, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
    answer = {"FailedEntryCount": 1, "Entries": [entry]}
    monkeypatch.setattr(ground.cloud.services["events"], "handle", lambda _call: answer)
    done = runner.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: The bus mw-dev refused the event: InternalFailure: try again\n"


def test_a_release_that_cannot_be_written_is_not_announced(
    runner: Runner, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_call: object) -> dict[str, Any]:
        raise AwsError("Unexpected", "an event was put")

    monkeypatch.setattr(ground.cloud.services["events"], "handle", refuse)
    grant = next(ref for ref in ground.cloud.iam.statements() if ref.statement == "PublishReleases")
    with ground.cloud.iam.without(grant):
        done = runner.run()
    assert done.returncode == 1
    assert "PutObject was refused" in done.stderr
