"""What a push leads to, and each grant of the Lambda taken away: by the rule, the function, the bus, to the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from codecommit_project import BRANCH, REPOSITORY, replace
from codecommit_repository import commit, git
from pipeline_scenarios import renew_processes
from policy_surgery import Decisions, Grant, Policy, grants, policies, untouched, uses, without

from modelwright.local.service import AwsError
from modelwright.local.template.registry import handler_for

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline_ground import Ground

    from modelwright.local.cloud import Cloud

FOLDER = "training_code/penguins"
NOT_TRIED = {
    "SendTraces xray:PutTelemetryRecords": "no traces are sent here",
    "WriteLog logs:CreateLogStream": "a log that cannot be written ends no merge; tried below",
    "WriteLog logs:PutLogEvents": "as above",
}


class Pushes:
    """Pushes commits and says what came of it; what is announced is not run unless a test wants it."""

    def __init__(self, ground: Ground, project: Path) -> None:
        self.ground = ground
        self.project = project
        self._number = 0

    def commit(self, **changes: tuple[str, str]) -> str:
        """A commit whose code and data are new; each change is a file of the folder and a text in it."""
        self._number += 1
        folder = self.project / FOLDER
        replace(folder / "train.py", "\n", f"\n# push {self._number}\n")
        with (folder / "data" / "penguins.csv").open("a") as data:
            data.write("\n" * self._number)
        for name, (old, new) in changes.items():
            replace(folder / f"{name}.yaml", old, new)
        found = commit(self.project, f"push {self._number}")
        for name, (old, new) in changes.items():
            replace(folder / f"{name}.yaml", new, old)
        if changes:
            commit(self.project, "put right")
        return found

    def push(self, found: str) -> str:
        """What is seen of it: `merged`, `told`, `given up` by the function, `undelivered` by the rule, or `lost`."""
        letters, told = len(self.ground.queues.messages()), len(self.told())
        codecommit: Any = self.ground.cloud.services["codecommit"]
        rule = next(ref for ref in self.ground.cloud.iam.statements() if ref.statement == "StartExecutions")
        with self.ground.cloud.iam.without(rule):
            codecommit.push(REPOSITORY, BRANCH, found)
        if len(self.told()) > told:
            return "told"
        for letter in self.ground.queues.messages()[letters:]:
            if json.loads(letter["body"])["source"] == "modelwright":
                return "merged"
            return "undelivered" if "RULE_ARN" in letter["attributes"] else "given up"
        return "lost"

    def told(self) -> list[dict[str, Any]]:
        """The messages about commits; alarms tell the topic, too."""
        return [each for each in self.ground.topics.messages() if str(each["subject"]).endswith("was not taken")]

    def good(self) -> str:
        """A commit that can be released."""
        return self.push(self.commit())

    def bad(self) -> str:
        """A commit with a wrong pipeline.yaml."""
        return self.push(self.commit(pipeline=("accuracy >= 0.80", "accuracy => 0.80")))

    def broken(self) -> str:
        """A commit that cannot be announced, whatever is tried."""
        refused = next(ref for ref in self.ground.cloud.iam.statements() if ref.statement == "AnnounceMerges")
        with self.ground.cloud.iam.without(refused):
            return self.good()

    def deployed(self) -> str:
        """The function is made again."""
        resource, _ = self.ground.resource("PublishMergeFunction")
        try:
            handler_for(resource).put(self.ground.cloud, resource)
            permission, _ = self.ground.resource("MergeFromCodeCommit")
            handler_for(permission).put(self.ground.cloud, permission)
        except AwsError as error:
            return f"refused: {error.code}"
        return "made"


AS_IT_SHOULD_BE = {"good": "merged", "bad": "told", "broken": "given up", "deployed": "made"}


@pytest.fixture(scope="module")
def pushes(ground: Ground, project: Path) -> Pushes:
    return Pushes(ground, project)


@pytest.fixture(scope="module")
def decisions(cloud: Cloud) -> Decisions:
    return Decisions(cloud)


@pytest.fixture(scope="module")
def role(cloud: Cloud, decisions: Decisions) -> list[Policy]:
    return [policy for policy in policies(cloud) if policy.owner == "PublishMergeFunctionRole"]


def short(grant: Grant) -> str:
    return f"{grant.sid} {grant.action}"


def played(pushes: Pushes) -> dict[str, str]:
    return {name: getattr(pushes, name)() for name in AS_IT_SHOULD_BE}


def test_every_grant_is_used_on_every_resource(pushes: Pushes, decisions: Decisions, role: list[Policy]) -> None:
    decisions.forget()
    assert played(pushes) == AS_IT_SHOULD_BE
    used = {(ref, action) for ref, action, _ in decisions.used}
    idle = [short(grant) for grant in grants(role) if not uses(grant, used)]
    assert idle == ["SendTraces xray:PutTelemetryRecords"]
    assert {short(grant) for grant, _ in untouched(role, decisions.used)} == set(idle)


def test_without_any_of_them_something_goes_another_way(cloud: Cloud, pushes: Pushes, role: list[Policy]) -> None:
    everything, missed = policies(cloud), {}
    for grant in grants(role):
        if short(grant) not in NOT_TRIED:
            with without(cloud, everything, grant):
                seen = played(pushes)
            missed[short(grant)] = {name: what for name, what in seen.items() if what != AS_IT_SHOULD_BE[name]}
    lost = {"broken": "lost"}
    assert missed == {
        "trust sts:AssumeRole": {"deployed": "refused: InvalidParameterValueException"},
        "SendTraces xray:PutTraceSegments": {"deployed": "refused: InvalidParameterValueException"},
        "ReadTheRepository codecommit:GetFile": {"good": "given up", "bad": "given up"},
        "ReadTheRepository codecommit:GetFolder": {"good": "given up", "bad": "given up"},
        "SeeWhatIsPublished s3:ListBucket": {"good": "given up"},
        "PublishReleases s3:PutObject": {"good": "given up"},
        "EncryptReleases kms:GenerateDataKey": {"good": "given up"},
        "AnnounceMerges events:PutEvents": {"good": "given up"},
        "TellOfWhatIsRefused sns:Publish": {"bad": "given up"},
        "EncryptMessages kms:Decrypt": {"bad": "given up"},
        "EncryptMessages kms:GenerateDataKey": {"bad": "given up"},
        "GiveUp sqs:SendMessage": lost,
        "EncryptDeadLetters kms:Decrypt": lost,
        "EncryptDeadLetters kms:GenerateDataKey": lost,
    }
    assert played(pushes) == AS_IT_SHOULD_BE


def test_without_the_functions_permission_the_event_is_a_dead_letter_of_the_rule(pushes: Pushes, cloud: Cloud) -> None:
    resource, _ = pushes.ground.resource("PublishMergeFunction")
    service: Any = cloud.services["lambda"]
    name = pushes.ground.physical("PublishMergeFunction")
    policy = service._store.policy(name)
    service._store.put_policy(name, None)
    assert pushes.good() == "undelivered"
    service._store.put_policy(name, policy)
    assert pushes.good() == "merged"
    assert resource.properties["DeadLetterConfig"]


def test_the_message_names_commit_file_and_problem(pushes: Pushes) -> None:
    found = pushes.commit(pipeline=("accuracy >= 0.80", "accuracy => 0.80"))
    assert pushes.push(found) == "told"
    message = pushes.told()[-1]
    assert message["subject"] == f"penguins: commit {found[:12]} was not taken"
    assert f"commit {found} into main of models started no run of penguins" in message["message"]
    assert f"{found[:12]}:{FOLDER}/pipeline.yaml:" in message["message"]
    assert "the operator '=>'" in message["message"]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("gone", "The repository has no such commit: the branch was moved by force or deleted since."),
        ("no folder", f"The commit has no folder {FOLDER}"),
        ("too large", f"{FOLDER}/big.bin is larger than 6 MB"),
    ],
)
def test_a_commit_that_cannot_be_read_is_told(pushes: Pushes, what: str, told: str) -> None:
    before, found = git(pushes.project, "rev-parse", "HEAD"), "0" * 40
    if what == "no folder":
        git(pushes.project, "rm", "-r", "--quiet", FOLDER)
        found = commit(pushes.project, "removed")
    elif what == "too large":
        (pushes.project / FOLDER / "big.bin").write_bytes(b"0" * (6 * 1024 * 1024 + 1))
        found = commit(pushes.project, "large")
    git(pushes.project, "reset", "--hard", "--quiet", before)
    assert pushes.push(found) == "told"
    assert told in pushes.told()[-1]["message"]


def test_what_is_given_up_says_why(pushes: Pushes) -> None:
    assert pushes.broken() == "given up"
    letter = pushes.ground.queues.messages()[-1]
    assert json.loads(letter["body"])["source"] == "aws.codecommit"
    assert "events:PutEvents" in json.dumps(letter["attributes"])
    alarms = [
        each["message"] for each in pushes.ground.topics.messages() if "could not be published" in each["message"]
    ]
    assert alarms  # it says so once, until all is well again


def test_the_same_event_twice_is_one_run(pushes: Pushes) -> None:
    """EventBridge delivers at least once; what is announced twice has the push's id both times."""
    ground, found = pushes.ground, pushes.commit()
    codecommit, events, machines = (ground.cloud.services[name] for name in ("codecommit", "events", "stepfunctions"))
    sent: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        publish = events.publish  # type: ignore[attr-defined] # that service's own
        patch.setattr(events, "publish", lambda event, *more: sent.append(event) or publish(event, *more))
        codecommit.push(REPOSITORY, BRANCH, found)  # type: ignore[attr-defined]
    event = next(each for each in sent if each["source"] == "aws.codecommit")
    (first,) = _executions(ground, found)
    push = json.loads(first["input"])["trigger"]["id"]
    publish({**event, "id": push})
    both = _executions(ground, found)
    ended = [machines.executions.wait(each["executionArn"], 60) for each in both]  # type: ignore[attr-defined]
    outcomes = sorted(json.loads(each["output"])["status"] for each in ended)
    assert outcomes == ["Deployed", "Duplicate"]


def _executions(ground: Ground, found: str) -> list[dict[str, Any]]:
    """The executions that this commit's merge started."""
    client = ground.client("stepfunctions")
    listed = client.list_executions(stateMachineArn=ground.deployment.state_machine_arn)["executions"]
    described = [client.describe_execution(executionArn=each["executionArn"]) for each in listed]
    return [each for each in described if json.loads(each["input"])["trigger"].get("commit") == found]


@pytest.mark.parametrize("action", ["logs:CreateLogStream", "logs:PutLogEvents"])
def test_without_it_there_is_no_log(pushes: Pushes, cloud: Cloud, role: list[Policy], action: str) -> None:
    group = pushes.ground.physical("PublishMergeLog")
    (grant,) = (grant for grant in grants(role) if grant.action == action)

    def lines() -> int:
        return len(cloud.client("logs").filter_log_events(logGroupName=group)["events"])  # type: ignore[attr-defined]

    before = lines()
    with without(cloud, policies(cloud), grant):
        renew_processes(pushes.ground)
        assert pushes.good() == "merged"
    assert lines() == before
    renew_processes(pushes.ground)
    assert pushes.good() == "merged"
    assert lines() > before


def test_a_role_of_another_pipeline_reads_nothing_of_the_repository(cloud: Cloud, ground: Ground) -> None:
    client: Any = cloud.client("codecommit", ground.arn("PrepareRunFunctionRole"))
    with pytest.raises(client.exceptions.ClientError, match="not authorized to perform: codecommit:GetFolder"):
        client.get_folder(repositoryName=REPOSITORY, folderPath=FOLDER)
    mine: Any = cloud.client("codecommit", ground.arn("PublishMergeFunctionRole"))
    assert mine.get_folder(repositoryName=REPOSITORY, folderPath=FOLDER)["files"]
    with pytest.raises(mine.exceptions.ClientError, match="not authorized to perform: codecommit:GetFolder"):
        mine.get_folder(repositoryName="another", folderPath=FOLDER)
