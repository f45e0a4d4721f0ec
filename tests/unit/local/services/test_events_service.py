import json

import pytest
from botocore.exceptions import ClientError

from modelwright.local.events.service import Events
from modelwright.local.messages.queues import Queues
from modelwright.local.service import AwsError

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:m"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:dead"
TARGET = {"Id": "1", "Arn": MACHINE, "RoleArn": "arn:aws:iam::123456789012:role/r", "DeadLetterConfig": {"Arn": QUEUE}}


@pytest.fixture
def events(cloud, add):
    add(Queues)
    cloud.client("sqs").create_queue(QueueName="dead")
    return add(Events)


def rule(cloud, **more):
    client = cloud.client("events")
    client.create_event_bus(Name="ours")
    client.put_rule(Name="merge", EventBusName="ours", EventPattern=json.dumps({"source": ["modelwright"]}))
    client.put_targets(Rule="merge", EventBusName="ours", Targets=[{**TARGET, **more}])


def send(cloud, events):
    entry = {"EventBusName": "ours", "Source": "modelwright", "DetailType": "Merge", "Detail": '{"commit": "abc"}'}
    (result,) = cloud.client("events").put_events(Entries=[entry])["Entries"]
    events.stop()  # waits for the deliveries
    return result["EventId"]


def test_a_matching_event_starts_the_execution_named_after_it(cloud, events):
    rule(cloud, InputTransformer={"InputPathsMap": {"c": "$.detail.commit"}, "InputTemplate": '{"commit": <c>}'})
    identity = send(cloud, events)
    (started,) = cloud.services["stepfunctions"].started
    assert json.loads(started["input"]) == {"commit": "abc"}
    assert started["name"].startswith(f"{identity}_")
    assert len(started["name"]) == 73
    assert ("events.amazonaws.com", "sts:AssumeRole", TARGET["RoleArn"]) in cloud.iam.asked


def test_a_refusal_becomes_a_dead_letter_with_its_reason(cloud, events):
    rule(cloud)
    cloud.services["stepfunctions"].errors = [AwsError("AccessDeniedException", "no", 400)]
    send(cloud, events)
    (letter,) = cloud.services["sqs"].messages()
    assert letter["attributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    assert json.loads(letter["body"])["detail"] == {"commit": "abc"}


def test_throttling_is_tried_again(cloud, events):
    rule(cloud)
    cloud.services["stepfunctions"].errors = [AwsError("ThrottlingException", "slow", 400)]
    entry = {"EventBusName": "ours", "Source": "modelwright", "DetailType": "Merge", "Detail": "{}"}
    cloud.client("events").put_events(Entries=[entry])
    events._pool.shutdown(wait=True)
    assert len(cloud.services["stepfunctions"].started) == 1
    assert cloud.services["sqs"].messages() == []


def test_a_dead_letter_that_the_queue_refuses_is_counted(cloud, events):
    rule(cloud)
    cloud.services["stepfunctions"].errors = [AwsError("AccessDeniedException", "no", 400)]
    cloud.iam.denied.add("sqs:SendMessage")
    send(cloud, events)
    assert cloud.services["sqs"].messages() == []
    assert cloud.metrics["AWS/Events", "InvocationsFailedToBeSentToDlq"] == 1


def test_a_transformer_that_names_what_is_not_there_is_a_dead_letter(cloud, events):
    rule(cloud, InputTransformer={"InputPathsMap": {"c": "$.detail.nothing"}, "InputTemplate": '{"commit": <c>}'})
    send(cloud, events)
    assert cloud.services["sqs"].messages()[0]["attributes"]["ERROR_CODE"]["StringValue"] == "INVALID_INPUT_TRANSFORMER"


def test_a_wrong_entry_is_told_and_the_others_are_taken(cloud, events):
    good = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    answer = cloud.client("events").put_events(Entries=[{**good, "Detail": "{"}, good, {**good, "Source": ""}])
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == ["MalformedDetail", None, "InvalidArgument"]


def test_a_schedule_fires_by_the_clock_and_only_once(cloud, events):
    client = cloud.client("events")
    client.put_rule(Name="weekly", ScheduleExpression="rate(7 days)")
    client.put_targets(Rule="weekly", Targets=[TARGET])
    assert events.fire_due() == []
    cloud.clock.advance(7 * 86_400)
    assert events.fire_due() == ["weekly"]
    assert events.fire_due() == []


def test_a_schedule_that_was_missed_while_the_cloud_was_down_is_due_at_the_next_start(cloud, events, add):
    cloud.client("events").put_rule(Name="weekly", ScheduleExpression="rate(7 days)")
    events.stop()
    cloud.clock.advance(8 * 86_400)
    again = add(Events)
    cloud.client("events").put_rule(Name="weekly", ScheduleExpression="rate(7 days)")
    assert again.fire_due() == ["weekly"]


def test_what_is_wrong_in_a_rule_is_refused(cloud, events):
    with pytest.raises(ClientError, match="no schedule"):
        cloud.client("events").put_rule(Name="x", ScheduleExpression="sometimes")
    with pytest.raises(ClientError, match="event pattern"):
        cloud.client("events").put_rule(Name="x", EventPattern='{"source": "x"}')


def test_a_log_group_gets_events_where_the_logs_policy_lets_eventbridge_in(cloud, add):
    cloud.log = lambda group, stream, lines: cloud.logged.append((group, [text for _, text in lines]))
    events = add(Events)
    events._pool = Inline()
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/x"
    cloud.client("events").put_rule(Name="r", EventPattern='{"source": ["s"]}')
    cloud.client("events").put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
    events.publish({"source": "s", "detail-type": "t", "detail": {"a": 1}})
    assert [(group, [json.loads(text) for text in lines]) for group, lines in cloud.logged] == [
        ("/aws/events/x", [{"a": 1}])
    ]
    cloud.iam.denied.add("logs:PutLogEvents")
    events.publish({"source": "s", "detail-type": "t", "detail": {"a": 2}})
    assert len(cloud.logged) == 1
    assert cloud.metrics["AWS/Events", "FailedInvocations"] == 1


class Inline:
    """An executor without threads."""

    def submit(self, function, *arguments):
        function(*arguments)

    def shutdown(self, **_):
        """Nothing is left."""


def test_a_schedule_whose_last_time_is_over_keeps_no_other_from_firing(cloud, add):
    events = add(Events)
    events._pool = Inline()
    client = cloud.client("events")
    client.put_rule(Name="often", ScheduleExpression="rate(1 hour)")
    client.put_rule(Name="once", ScheduleExpression=f"cron(0 0 1 2 ? {cloud.clock.now().year})")
    cloud.clock.advance(400 * 86_400)
    assert "often" in events.fire_due()
    cloud.clock.advance(400 * 86_400)
    assert events.fire_due() == ["often"]


def test_nobody_but_aws_says_what_aws_says(cloud, events) -> None:
    """Seen on AWS: https://github.com/aws-samples/serverless-patterns/pull/3089."""
    entry = {"Source": "aws.codecommit", "DetailType": "CodeCommit Repository State Change", "Detail": "{}"}
    answer = cloud.client("events").put_events(Entries=[entry, {**entry, "Source": "awsome"}])
    assert answer["FailedEntryCount"] == 1
    refused, taken = answer["Entries"]
    assert (refused["ErrorCode"], refused["ErrorMessage"]) == (
        "NotAuthorizedForSourceException",
        "Not authorized for the source.",
    )
    assert taken["EventId"]
