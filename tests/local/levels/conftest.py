"""One template with a resource of every type, deployed in a local cloud inside this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from level_template import CODE_TEXT, TEMPLATE
from pipeline_ground import Inline
from tiny_assembly import policy, trusts, write_assembly

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Levels:
    """The cloud with the stack `levels`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        formation: Any = cloud.services["cloudformation"]
        self._resources = formation._stacks["levels"].resources
        self._roles = 0

    def id(self, logical_id: str) -> str:
        """A resource's physical id."""
        return str(self._resources[logical_id][1].id)

    def arn(self, logical_id: str) -> str:
        """A resource's ARN."""
        return str(self._resources[logical_id][1].attributes["Arn"])

    def client(self, service: str, role: str | None = None) -> Any:
        """The owner's client, or a role's."""
        return self.cloud.client(service, role)

    def role(self, *statements: Mapping[str, Any], service: str = "lambda") -> str:
        """The ARN of a new role with these statements."""
        self._roles += 1
        arn = f"arn:aws:iam::{self.cloud.account}:role/tried-{self._roles}"
        self.cloud.iam.put_role(arn, trusts(service), {"Grants": policy(*statements)} if statements else {})
        return arn

    def described(self, logical_id: str) -> dict[str, Any]:
        """A resource as CloudFormation describes it."""
        found = self.client("cloudformation").describe_stack_resources(StackName="levels")["StackResources"]
        return next(each for each in found if each["LogicalResourceId"] == logical_id)

    def inbox(self) -> list[str]:
        """The messages of all topics."""
        topics: Any = self.cloud.services["sns"]
        return [f"{each['subject']} {each['message']}" for each in topics.messages()]

    def received(self) -> list[str]:
        """The messages in the queue, taken out."""
        client, url = self.client("sqs"), self.id("Queue")
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            client.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return [each["Body"] for each in found]

    def put_event(self, bus: str = "levels", source: str = "tried", role: str | None = None, **detail: Any) -> None:
        """Put one event on a bus; what it leads to is done when this returns."""
        entry = {"EventBusName": bus, "Source": source, "DetailType": "T", "Detail": json.dumps(detail)}
        answer = self.client("events", role).put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def metric(self, namespace: str, name: str) -> float:
        """The sum of a metric over all its dimensions."""
        monitoring: Any = self.cloud.services["cloudwatch"]
        found = [each for each in monitoring._metrics.all() if (each.namespace, each.name) == (namespace, name)]
        return float(sum(value for each in found for _, value, _ in monitoring._metrics.values(each, 0, float("inf"))))


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Levels]:
    folder = tmp_path_factory.mktemp("levels")
    cloud = Cloud(folder / "cloud", "eu-central-1", warm=False)
    cloud.start()
    try:
        events: Any = cloud.services["events"]
        events._pool = Inline()
        formation: Any = cloud.services["cloudformation"]
        formation.deploy(write_assembly(folder / "assembly", {"levels": TEMPLATE}, code=CODE_TEXT))
        yield Levels(cloud)
    finally:
        cloud.stop()
