"""SNS and SQS.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
Who sends to an encrypted topic or queue needs its key:
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

from __future__ import annotations

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, on


def _topic(request: Request) -> str:
    return request.text("TopicArn") or request.text("TargetArn") or request.arn("sns", request.text("Name"))


def _topic_of_subscription(request: Request) -> str:
    return request.text("SubscriptionArn").rpartition(":")[0]


def _queue(request: Request) -> str:
    """A queue's URL ends in its name: `http://…/123456789012/name`."""
    name = request.text("QueueUrl").rstrip("/").rpartition("/")[2] or request.text("QueueName")
    return request.arn("sqs", name)


def _with_key(request: Request, check: Check, *kms_actions: str) -> list[Check]:
    key = request.facts.keys.get(check.resource)
    service = check.resource.split(":")[2]
    encryption = {f"aws:{service}:{'topicArn' if service == 'sns' else 'arn'}": check.resource}
    return [check, *(request.key_check(name, key, service, encryption) for name in kms_actions if key)]


def _publish(request: Request) -> list[Check]:
    return _with_key(request, Check("sns:Publish", _topic(request)), "GenerateDataKey", "Decrypt")


def _subscribe(request: Request) -> list[Check]:
    context = {"sns:protocol": request.text("Protocol"), "sns:endpoint": request.text("Endpoint")}
    return [Check("sns:Subscribe", _topic(request), context)]


def _send(request: Request) -> list[Check]:
    return _with_key(request, Check("sqs:SendMessage", _queue(request)), "GenerateDataKey", "Decrypt")


def _receive(request: Request) -> list[Check]:
    return _with_key(request, Check("sqs:ReceiveMessage", _queue(request)), "Decrypt")


def _as(name: str) -> Mapper:
    return lambda request: (Check(f"sqs:{name}", _queue(request)),)


_ON_TOPIC = ("CreateTopic", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "SetTopicAttributes")
_ON_QUEUE: tuple[str, ...] = (
    "ChangeMessageVisibility",
    "CreateQueue",
    "DeleteMessage",
    "DeleteQueue",
    "GetQueueAttributes",
)
_ON_QUEUE += ("GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueueTags", "PurgeQueue", "SetQueueAttributes")

SNS: dict[str, Mapper] = {
    **on("sns", _topic, _ON_TOPIC),
    **on("sns", lambda request: request.text("ResourceArn"), ("ListTagsForResource", "TagResource", "UntagResource")),
    **on("sns", _topic_of_subscription, ("GetSubscriptionAttributes", "Unsubscribe")),
    **anywhere("sns", ("ListSubscriptions", "ListTopics")),
    "Publish": _publish,
    "PublishBatch": _publish,
    "Subscribe": _subscribe,
}

SQS: dict[str, Mapper] = {
    **on("sqs", _queue, _ON_QUEUE),
    **anywhere("sqs", ("ListQueues",)),
    "ChangeMessageVisibilityBatch": _as("ChangeMessageVisibility"),
    "DeleteMessageBatch": _as("DeleteMessage"),
    "SendMessage": _send,
    "SendMessageBatch": _send,
    "ReceiveMessage": _receive,
}
