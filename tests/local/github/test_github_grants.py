"""Each grant of GitHub's role, action by action: with all of them a merge is published, without one it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from github_project import ON_GITHUB, SUBJECT, commit, replace
from policy_surgery import Decisions, Policy, grants, policies, untouched, uses, without

from modelwright.cli.commands import emit
from modelwright.cli.platform import Platform
from modelwright.client.deployment import find_deployment
from modelwright.client.github import take_role
from modelwright.client.releases import publishing
from modelwright.client.runs.events import send_merge
from modelwright.config import load_project

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline_ground import Ground

    from modelwright.local.cloud import Cloud


@pytest.fixture(scope="module")
def decisions(cloud: Cloud) -> Decisions:
    return Decisions(cloud)


@pytest.fixture(scope="module")
def role_policies(cloud: Cloud, decisions: Decisions) -> list[Policy]:
    return [policy for policy in policies(cloud) if policy.owner == "GitHubRole"]


class Merges:
    """Merges new content each time, as the workflow does."""

    def __init__(self, ground: Ground, project: Path) -> None:
        self._ground = ground
        self._root = project
        self._number = 0

    def merge(self) -> str:
        """Publish and announce a commit whose code and data are new; `merged`, or the call that was refused."""
        found = self._commit()
        rule = next(ref for ref in self._ground.cloud.iam.statements() if ref.statement == "StartExecutions")
        try:
            with self._ground.cloud.iam.without(rule):  # what is announced is not run
                return self._publish(found)
        except ClientError as error:
            return f"{error.operation_name}: {error.response['Error']['Code']}"

    def _commit(self) -> str:
        folder = self._root / "training_code" / "penguins"
        self._number += 1
        replace(folder / "train.py", "\n", f"\n# merge {self._number}\n")
        with (folder / "data" / "penguins.csv").open("a") as data:
            data.write("\n" * self._number)
        return commit(self._root, f"merge {self._number}")

    def _publish(self, found: str) -> str:
        token = self._ground.cloud.services["sts"].token(SUBJECT)  # type: ignore[attr-defined] # that service's own
        session = take_role(self._ground.session, self._ground.deployment, token)
        project = load_project(self._root, "dev")
        settings = project.pipeline("penguins")
        assert settings.triggers.merge_github == ON_GITHUB
        deployment = find_deployment(session, "dev", "penguins")
        release = publishing.publish_commit(session, project, settings, deployment, found)
        before = len(self._ground.queues.messages())
        send_merge(session, deployment, branch="main", commit=found, release=release)
        return "merged" if len(self._ground.queues.messages()) > before else "not delivered"


@pytest.fixture(scope="module")
def merges(ground: Ground, project: Path) -> Merges:
    return Merges(ground, project)


def test_every_grant_is_used_on_every_resource(
    merges: Merges, decisions: Decisions, role_policies: list[Policy]
) -> None:
    decisions.forget()
    assert merges.merge() == "merged"
    used = {(ref, action) for ref, action, _ in decisions.used}
    assert [str(grant) for grant in grants(role_policies) if not uses(grant, used)] == []
    assert [(str(grant), text) for grant, text in untouched(role_policies, decisions.used)] == []


def test_without_any_of_them_nothing_is_merged(cloud: Cloud, merges: Merges, role_policies: list[Policy]) -> None:
    everything = policies(cloud)
    missed = {}
    for grant in grants(role_policies):
        with without(cloud, everything, grant):
            missed[str(grant)] = merges.merge()
    assert missed == {
        "GitHubRole trust sts:AssumeRoleWithWebIdentity": "AssumeRoleWithWebIdentity: AccessDenied",
        "GitHubRole FindTheStack cloudformation:DescribeStacks": "DescribeStacks: AccessDenied",
        "GitHubRole SeeWhatIsPublished s3:ListBucket": "ListObjectsV2: AccessDenied",
        "GitHubRole PublishReleases s3:PutObject": "PutObject: AccessDenied",
        "GitHubRole EncryptReleases kms:GenerateDataKey": "PutObject: AccessDenied",
        "GitHubRole AnnounceMerges events:PutEvents": "PutEvents: AccessDeniedException",
    }
    assert merges.merge() == "merged"


class PlayedGitHub:
    """What `emit` asks of the local cloud's process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def github_token(self, repository: str, branch: str) -> str:
        assert f"repo:{repository}:ref:refs/heads/{branch}" == SUBJECT
        return str(self._ground.cloud.services["sts"].token(SUBJECT))  # type: ignore[attr-defined] # as above


@pytest.mark.parametrize("on_aws", [False, True])
def test_emit_merge_has_these_grants_here_and_the_users_own_on_aws(
    ground: Ground, project: Path, decisions: Decisions, capsys: pytest.CaptureFixture[str], on_aws: bool
) -> None:
    local: Any = None if on_aws else PlayedGitHub(ground)
    place = Platform(load_project(project, "dev"), ground.session, local)
    decisions.forget()
    rule = next(ref for ref in ground.cloud.iam.statements() if ref.statement == "StartExecutions")
    with ground.cloud.iam.without(rule):
        assert emit._merge(place, ground.deployment, None)
    assert ("AnnounceMerges" in {ref.statement for ref, _, _ in decisions.used}) is not on_aws
    note = f"note: a push to main of {ON_GITHUB} does this; sent with your own credentials\n"
    assert capsys.readouterr().err == (note if on_aws else "")


@pytest.mark.parametrize(("source", "kind"), [("aws.s3", "Merge"), ("modelwright", "Deploy")])
def test_another_event_than_a_merge_is_refused(ground: Ground, source: str, kind: str) -> None:
    client = ground.cloud.client("events", ground.deployment.github_role)
    entry = {"EventBusName": ground.deployment.event_bus, "Source": source, "DetailType": kind, "Detail": "{}"}
    with pytest.raises(ClientError, match="not authorized to perform: events:PutEvents"):
        client.put_events(Entries=[entry])


def test_what_was_published_cannot_be_read_with_it(ground: Ground) -> None:
    client = ground.cloud.client("s3", ground.deployment.github_role)
    bucket = ground.deployment.artifact_bucket
    keys = ground.client("s3").list_objects_v2(Bucket=bucket, Prefix="releases/penguins/")["Contents"]
    with pytest.raises(ClientError, match="not authorized to perform: s3:GetObject"):
        client.get_object(Bucket=bucket, Key=keys[0]["Key"])
    with pytest.raises(ClientError, match="not authorized to perform: s3:ListBucket"):
        client.list_objects_v2(Bucket=bucket, Prefix="models/")
