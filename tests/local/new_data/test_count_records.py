"""What a new object leads to where records are counted, and each grant of the Lambda taken away."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from pipeline_scenarios import renew_processes
from policy_surgery import Decisions, Grant, Policy, grants, policies, untouched, uses, without

from modelwright.local.service import AwsError
from modelwright.local.template.registry import handler_for

if TYPE_CHECKING:
    from pipeline_ground import Ground

    from modelwright.local.cloud import Cloud

EVERY = 10  # conftest.py
NOT_TRIED = {
    "SendTraces xray:PutTelemetryRecords": "no traces are sent here",
    "WriteLog logs:CreateLogStream": "a log that cannot be written ends no count; tried below",
    "WriteLog logs:PutLogEvents": "as above",
}
WAITING = {"pk": {"S": "RECORDS#penguins"}, "sk": {"S": "WAITING"}}


class Objects:
    """Puts objects where the pipeline watches and says what came of it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.bucket = ground.deployment.data_bucket

    def put(self, name: str, content: str) -> None:
        key = f"incoming/penguins/{uuid.uuid4()}/{name}"
        self.ground.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content.encode())

    def seen(self, act: Any) -> str:
        """`counted`, `started`, `told`, `given up` by the function, `undelivered` by the rule, or `nothing`."""
        table = self.ground.client("dynamodb")
        table.delete_item(TableName=self.ground.deployment.table, Key=WAITING)
        letters, told, started = len(self.ground.queues.messages()), len(self.told()), len(self.executions())
        act()
        if len(self.told()) > told:
            return "told"
        for letter in self.ground.queues.messages()[letters:]:
            return "undelivered" if "RULE_ARN" in letter["attributes"] else "given up"
        if len(self.executions()) > started:
            return "started"
        item = table.get_item(TableName=self.ground.deployment.table, Key=WAITING).get("Item", {})
        return "counted" if item.get("records", {"N": "0"})["N"] != "0" else "nothing"

    def told(self) -> list[dict[str, Any]]:
        """The messages about data; alarms tell the topic, too."""
        return [each for each in self.ground.topics.messages() if str(each["subject"]).endswith("not counted")]

    def executions(self) -> list[dict[str, Any]]:
        machine = self.ground.deployment.state_machine_arn
        found: list[dict[str, Any]] = self.ground.client("stepfunctions").list_executions(stateMachineArn=machine)[
            "executions"
        ]
        return found

    def few(self) -> str:
        """Not enough for a run."""
        return self.seen(lambda: self.put("a.csv", "a\n1\n2\n"))

    def enough(self) -> str:
        """Enough for one."""
        return self.seen(lambda: self.put("a.csv", "a\n" + "1\n" * EVERY))

    def unknown(self) -> str:
        """What cannot be counted."""
        return self.seen(lambda: self.put("a.bin", "?"))

    def gone(self) -> str:
        """An object that was deleted for good before it was counted."""
        key, client = f"incoming/penguins-too/{uuid.uuid4()}.csv", self.ground.client("s3")
        version = client.put_object(Bucket=self.bucket, Key=key, Body=b"")["VersionId"]
        found = {"key": key.replace("-too", ""), "version-id": version, "sequencer": "0A", "size": 1}
        detail = {"bucket": {"name": self.bucket}, "object": found}
        event = {"source": "aws.s3", "detail-type": "Object Created", "resources": [], "detail": detail}
        return self.seen(lambda: self.ground.cloud.publish_event(event))

    def broken(self) -> str:
        """A run that cannot be started, whatever is tried."""
        role = self.ground.arn("CountRecordsFunctionRole")
        (start,) = (
            ref for ref in self.ground.cloud.iam.statements() if (ref.owner, ref.statement) == (role, "StartExecutions")
        )
        with self.ground.cloud.iam.without(start):
            return self.enough()

    def deployed(self) -> str:
        """The function is made again."""
        try:
            for name in ("CountRecordsFunction", "CountNewData"):
                resource, _ = self.ground.resource(name)
                handler_for(resource).put(self.ground.cloud, resource)
        except AwsError as error:
            return f"refused: {error.code}"
        return "made"


AS_IT_SHOULD_BE = {
    "few": "counted",
    "enough": "started",
    "unknown": "told",
    "gone": "nothing",
    "broken": "given up",
    "deployed": "made",
}


@pytest.fixture(scope="module")
def objects(ground: Ground) -> Objects:
    return Objects(ground)


@pytest.fixture(scope="module")
def decisions(cloud: Cloud) -> Decisions:
    return Decisions(cloud)


@pytest.fixture(scope="module")
def role(cloud: Cloud, decisions: Decisions) -> list[Policy]:
    return [policy for policy in policies(cloud) if policy.owner == "CountRecordsFunctionRole"]


def short(grant: Grant) -> str:
    return f"{grant.sid} {grant.action}"


def played(objects: Objects) -> dict[str, str]:
    return {name: getattr(objects, name)() for name in AS_IT_SHOULD_BE}


def test_every_grant_is_used_on_every_resource(objects: Objects, decisions: Decisions, role: list[Policy]) -> None:
    decisions.forget()
    assert played(objects) == AS_IT_SHOULD_BE
    used = {(ref, action) for ref, action, _ in decisions.used}
    idle = [short(grant) for grant in grants(role) if not uses(grant, used)]
    assert idle == ["SendTraces xray:PutTelemetryRecords"]
    assert {short(grant) for grant, _ in untouched(role, decisions.used)} == set(idle)


def test_without_any_of_them_something_goes_another_way(cloud: Cloud, objects: Objects, role: list[Policy]) -> None:
    everything, missed = policies(cloud), {}
    for grant in grants(role):
        if short(grant) not in NOT_TRIED:
            with without(cloud, everything, grant):
                seen = played(objects)
            missed[short(grant)] = {name: what for name, what in seen.items() if what != AS_IT_SHOULD_BE[name]}
    assert [name for name, what in missed.items() if not what] == []
    assert missed["ReadNewData s3:GetObjectVersion"].keys() == {"few", "enough", "unknown", "gone"}
    assert missed["ListNewData s3:ListBucket"] == {"gone": "given up"}
    assert missed["StartExecutions states:StartExecution"] == {"enough": "given up"}
    assert missed["GiveUp sqs:SendMessage"] == {"broken": "counted"}
    assert played(objects) == AS_IT_SHOULD_BE


def test_without_the_functions_permission_the_event_is_a_dead_letter_of_the_rule(
    objects: Objects, cloud: Cloud
) -> None:
    service: Any = cloud.services["lambda"]
    name = objects.ground.physical("CountRecordsFunction")
    policy = service._store.policy(name)
    service._store.put_policy(name, None)
    assert objects.few() == "undelivered"
    service._store.put_policy(name, policy)
    assert objects.few() == "counted"


def test_objects_elsewhere_and_markers_are_not_counted(objects: Objects) -> None:
    client = objects.ground.client("s3")
    content = b"a\n" + b"1\n" * EVERY

    def elsewhere() -> None:
        for key in ("incoming/penguins-too/a.csv", "a.csv", "incoming/penguins/day/_SUCCESS"):
            client.put_object(Bucket=objects.bucket, Key=key, Body=content)
        client.put_object(Bucket=objects.ground.deployment.artifact_bucket, Key="incoming/penguins/a.csv", Body=content)

    assert objects.seen(elsewhere) == "nothing"


def test_the_run_is_on_all_that_is_there_and_of_the_default_release(objects: Objects) -> None:
    before = {each["executionArn"] for each in objects.executions()}
    assert objects.enough() == "started"
    (arn,) = {each["executionArn"] for each in objects.executions()} - before
    text = objects.ground.client("stepfunctions").describe_execution(executionArn=arn)["input"]
    found = json.loads(text)
    assert (found["release"], found["data"]) == ("default", f"s3://{objects.bucket}/incoming/penguins/")


def test_what_is_given_up_says_why(objects: Objects) -> None:
    assert objects.broken() == "given up"
    letter = objects.ground.queues.messages()[-1]
    assert json.loads(letter["body"])["source"] == "aws.s3"
    assert "states:StartExecution" in json.dumps(letter["attributes"])
    assert [each for each in objects.ground.topics.messages() if "could not be counted" in each["message"]]


@pytest.mark.parametrize("action", ["logs:CreateLogStream", "logs:PutLogEvents"])
def test_without_it_there_is_no_log(objects: Objects, cloud: Cloud, role: list[Policy], action: str) -> None:
    group = objects.ground.physical("CountRecordsLog")
    (grant,) = (grant for grant in grants(role) if grant.action == action)

    def lines() -> int:
        return len(cloud.client("logs").filter_log_events(logGroupName=group)["events"])  # type: ignore[attr-defined]

    before = lines()
    with without(cloud, policies(cloud), grant):
        renew_processes(objects.ground)
        assert objects.few() == "counted"
    assert lines() == before
    renew_processes(objects.ground)
    assert objects.few() == "counted"
    assert lines() > before
