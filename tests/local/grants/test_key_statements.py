"""Without a statement of the key's policy: lost, with a metric as the only word, or refused when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from pipeline_scenarios import SCENARIOS
from policy_surgery import Grant, grants, policies, without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_stage import Stage

NOT_ALLOWED = "The specified KMS key does not exist or is not allowed to be used with Arn"


def taken(stage: Stage, sid: str, action: str) -> list[Grant]:
    found = [each for each in grants(policies(stage.cloud)) if (each.sid, each.action) == (sid, action)]
    assert len(found) == 1
    return found


def told(stage: Stage, name: str) -> str:
    return SCENARIOS[name].act(stage).outcome


def counted(stage: Stage, namespace: str, name: str) -> float:
    """The sum of a metric over all its dimensions."""
    monitoring: Any = stage.cloud.services["cloudwatch"]
    found = [each for each in monitoring._metrics.all() if (each.namespace, each.name) == (namespace, name)]
    return float(sum(value for each in found for _, value, _ in monitoring._metrics.values(each, 0, float("inf"))))


SENT = {
    "AlarmsReachTheTopic": ("alarm", "silent"),
    "EventsReachTheDeadLetterQueue": ("undelivered", "lost"),
    "TheTopicReachesQueues": ("subscribed", "lost"),
}
"""The statement, the scenario that needs it, and what that one shows without it."""
METRICS = {
    "EventsReachTheDeadLetterQueue": ("AWS/Events", "InvocationsFailedToBeSentToDlq"),
    "TheTopicReachesQueues": ("AWS/SNS", "NumberOfNotificationsFailed"),
}


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey"])
@pytest.mark.parametrize("sid", sorted(SENT))
def test_what_is_sent_is_lost(stage: Stage, sid: str, action: str) -> None:
    scenario, lost = SENT[sid]
    assert told(stage, scenario) == "told"
    with without(stage.cloud, policies(stage.cloud), *taken(stage, sid, action)):
        assert told(stage, scenario) == lost
    assert told(stage, scenario) == "told"


@pytest.mark.parametrize("sid", sorted(METRICS))
def test_a_metric_tells_of_what_was_lost(stage: Stage, sid: str) -> None:
    before = counted(stage, *METRICS[sid])
    with without(stage.cloud, policies(stage.cloud), *taken(stage, sid, "kms:Decrypt")):
        told(stage, SENT[sid][0])
    assert counted(stage, *METRICS[sid]) == before + 1


@pytest.fixture
def foreign_alarm(stage: Stage) -> Iterator[str]:
    """An alarm of the same account that is not this environment's, whose topic's own policy lets it in."""
    client, topic = stage.client("cloudwatch"), stage.deployment.topic_arn
    client.put_metric_alarm(
        AlarmName="mw-prod-penguins-Failed", AlarmActions=[topic], Namespace="N", MetricName="M", Statistic="Sum",
        Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    (policy,) = (each for each in policies(stage.cloud) if each.arn == topic)
    everyone = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
    statement = {**everyone, "Resource": topic}
    stage.cloud.iam.put_resource_policy(topic, {"Version": "2012-10-17", "Statement": [statement]})
    yield "mw-prod-penguins-Failed"
    stage.cloud.iam.put_resource_policy(topic, policy.document)
    client.delete_alarms(AlarmNames=["mw-prod-penguins-Failed"])


def test_an_alarm_of_another_environment_cannot_use_the_key(stage: Stage, foreign_alarm: str) -> None:
    client, before = stage.client("cloudwatch"), len(stage.topics.messages())
    client.set_alarm_state(AlarmName=foreign_alarm, StateValue="ALARM", StateReason="tried")
    assert len(stage.topics.messages()) == before
    assert told(stage, "alarm") == "told"


def test_without_a_policy_of_its_own_a_topic_still_needs_its_key(stage: Stage) -> None:
    """AWS's default policy of a topic lets the account's alarms in; the key's policy does not."""
    (policy,) = (each for each in policies(stage.cloud) if each.arn == stage.deployment.topic_arn)
    stage.cloud.iam.put_resource_policy(policy.arn, None)
    try:
        assert told(stage, "alarm") == "told"
        whole = policies(stage.cloud)
        with without(
            stage.cloud,
            [each for each in whole if each.arn != policy.arn],
            *taken(stage, "AlarmsReachTheTopic", "kms:Decrypt"),
        ):
            assert told(stage, "alarm") == "silent"
    finally:
        stage.cloud.iam.put_resource_policy(policy.arn, policy.document)


def test_under_the_key_of_sns_itself_no_alarm_is_heard(stage: Stage) -> None:
    """The policy of alias/aws/sns lets no service in, and nobody can change it: `key: aws-owned` does without."""
    topic, key = stage.deployment.topic_arn, stage.deployment.key_arn
    stage.cloud.iam.put_resource_key(topic, "alias/aws/sns")
    try:
        assert told(stage, "alarm") == "silent"
    finally:
        stage.cloud.iam.put_resource_key(topic, key)
    assert told(stage, "alarm") == "told"


def test_a_log_group_that_is_not_this_environments_cannot_have_the_key(stage: Stage) -> None:
    client, key = stage.client("logs"), stage.deployment.key_arn
    with pytest.raises(ClientError, match=NOT_ALLOWED):
        client.create_log_group(logGroupName="mw-prod-x", kmsKeyId=key)
    client.create_log_group(logGroupName="mw-dev-x", kmsKeyId=key)
    client.delete_log_group(logGroupName="mw-dev-x")


def test_what_is_encrypted_cannot_be_read_without_the_keys_consent(stage: Stage) -> None:
    client, name = stage.client("logs"), "mw-dev-y"
    client.create_log_group(logGroupName=name, kmsKeyId=stage.deployment.key_arn)
    client.create_log_stream(logGroupName=name, logStreamName="s")
    client.put_log_events(logGroupName=name, logStreamName="s", logEvents=[{"timestamp": 1, "message": "kept"}])
    grant = taken(stage, "LogGroupsAreEncrypted", "kms:Decrypt")
    with without(stage.cloud, policies(stage.cloud), *grant):
        with pytest.raises(ClientError, match=NOT_ALLOWED):
            client.filter_log_events(logGroupName=name)
        with pytest.raises(ClientError, match=NOT_ALLOWED):
            client.get_log_events(logGroupName=name, logStreamName="s")
    assert [each["message"] for each in client.filter_log_events(logGroupName=name)["events"]] == ["kept"]
    client.delete_log_group(logGroupName=name)
