"""SNS topics and SQS queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.calls.direct import Direct
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_topic(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "sns").delete_topic(TopicArn=physical.id)


@resource(
    "AWS::SNS::Topic",
    Level.RUNS,
    "messages arrive in the inbox (`modelwright inbox`) and at subscribed queues",
    remove=_remove_topic,
)
def put_topic(cloud: Cloud, resource: Resource) -> Physical:
    """A topic."""
    resource.only("TopicName", "DisplayName", "KmsMasterKeyId", "Tags", "Subscription", "TracingConfig")
    name = resource.properties.get("TopicName") or resource.name(256)
    arn = Direct(cloud, "sns").create_topic(Name=name)["TopicArn"]
    cloud.iam.put_resource_key(arn, resource.properties.get("KmsMasterKeyId"))
    for entry in resource.properties.get("Subscription", []):
        Direct(cloud, "sns").subscribe(TopicArn=arn, Protocol=entry["Protocol"], Endpoint=entry["Endpoint"])
    return Physical(arn, {"TopicName": name, "TopicArn": arn})


def _remove_topic_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    for arn in resource.required("Topics"):
        cloud.iam.put_resource_policy(arn, None)


@resource("AWS::SNS::TopicPolicy", Level.ENFORCED, "checked at each publish", remove=_remove_topic_policy)
def put_topic_policy(cloud: Cloud, resource: Resource) -> Physical:
    """Who may publish."""
    resource.only("PolicyDocument", "Topics")
    for arn in resource.required("Topics"):
        cloud.iam.put_resource_policy(arn, resource.required("PolicyDocument"))
    return Physical(resource.name(128))


def _remove_subscription(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "sns").unsubscribe(SubscriptionArn=physical.id)


@resource(
    "AWS::SNS::Subscription",
    Level.RUNS,
    "queues get the messages; an e-mail address gets nothing, its messages lie in the inbox",
    remove=_remove_subscription,
)
def put_subscription(cloud: Cloud, resource: Resource) -> Physical:
    """A subscription."""
    resource.only("Endpoint", "Protocol", "TopicArn")
    request = {
        "TopicArn": resource.required("TopicArn"),
        "Protocol": resource.required("Protocol"),
        "Endpoint": resource.required("Endpoint"),
    }
    return Physical(Direct(cloud, "sns").subscribe(**request, ReturnSubscriptionArn=True)["SubscriptionArn"])


def _remove_queue(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "sqs").delete_queue(QueueUrl=physical.id)


_QUEUE_ATTRIBUTES = (
    "MessageRetentionPeriod",
    "VisibilityTimeout",
    "DelaySeconds",
    "KmsMasterKeyId",
    "SqsManagedSseEnabled",
    "KmsDataKeyReusePeriodSeconds",
)


@resource(
    "AWS::SQS::Queue",
    Level.RUNS,
    "messages are sent, received and kept between starts; none expires",
    remove=_remove_queue,
)
def put_queue(cloud: Cloud, resource: Resource) -> Physical:
    """A standard queue."""
    resource.only("QueueName", "Tags", *_QUEUE_ATTRIBUTES)
    name = resource.properties.get("QueueName") or resource.name(80)
    attributes = {key: str(resource.properties[key]) for key in _QUEUE_ATTRIBUTES[:3] if key in resource.properties}
    url = Direct(cloud, "sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}"
    cloud.iam.put_resource_key(arn, resource.properties.get("KmsMasterKeyId"))
    return Physical(
        url, {"Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}", "QueueName": name, "QueueUrl": url}
    )


def _queue_arn(cloud: Cloud, url: str) -> str:
    return f"arn:aws:sqs:{cloud.region}:{cloud.account}:{url.rsplit('/', 1)[-1]}"


def _remove_queue_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    for url in resource.required("Queues"):
        cloud.iam.put_resource_policy(_queue_arn(cloud, str(url)), None)


@resource("AWS::SQS::QueuePolicy", Level.ENFORCED, "checked at each send", remove=_remove_queue_policy)
def put_queue_policy(cloud: Cloud, resource: Resource) -> Physical:
    """Who may send."""
    resource.only("PolicyDocument", "Queues")
    for url in resource.required("Queues"):
        cloud.iam.put_resource_policy(_queue_arn(cloud, str(url)), resource.required("PolicyDocument"))
    return Physical(resource.name(128))
