"""SNS: topics whose messages are kept (the inbox) and go to subscribed queues.

https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
"""

from __future__ import annotations

import json
import uuid
from threading import RLock
from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError, Call

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

_MESSAGES = "inbox"
_PROTOCOLS = ("email", "email-json", "sqs")
_LIMIT_BYTES = 256 * 1024


class Topics:
    """The service `sns`. An e-mail subscription sends nothing: what it would have sent lies in the inbox."""

    name = "sns"
    operations = frozenset(
        {
            "CreateTopic",
            "DeleteTopic",
            "GetTopicAttributes",
            "ListSubscriptionsByTopic",
            "ListTopics",
            "Publish",
            "Subscribe",
            "Unsubscribe",
        }
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = RLock()
        self._topics: dict[str, dict[str, dict[str, str]]] = {}  # topic's ARN -> its subscriptions by ARN

    def start(self) -> None:
        """Topics come with the template, messages lie in the database."""

    def stop(self) -> None:
        """Nothing runs here."""

    def messages(self) -> list[dict[str, Any]]:
        """Every message that was published, oldest first: `{topic, at, subject, message}`."""
        return [body for _, body in self._cloud.database.read(_MESSAGES)]

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        with self._lock:
            return {
                "CreateTopic": self._create,
                "DeleteTopic": self._delete,
                "GetTopicAttributes": self._attributes,
                "ListSubscriptionsByTopic": self._subscriptions,
                "ListTopics": self._list,
                "Publish": self._publish,
                "Subscribe": self._subscribe,
                "Unsubscribe": self._unsubscribe,
            }[call.operation](call.params)

    def _topic(self, arn: str) -> dict[str, dict[str, str]]:
        if arn not in self._topics:
            raise AwsError("NotFound", "Topic does not exist", 404)
        return self._topics[arn]

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = f"arn:aws:sns:{self._cloud.region}:{self._cloud.account}:{params['Name']}"
        self._topics.setdefault(arn, {})
        return {"TopicArn": arn}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        self._topics.pop(params["TopicArn"], None)
        return {}

    def _attributes(self, params: dict[str, Any]) -> dict[str, Any]:
        subscriptions = self._topic(params["TopicArn"])
        return {"Attributes": {"TopicArn": params["TopicArn"], "SubscriptionsConfirmed": str(len(subscriptions))}}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - the signature of all operations
        return {"Topics": [{"TopicArn": arn} for arn in sorted(self._topics)]}

    def _subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        topic, protocol, endpoint = params["TopicArn"], params["Protocol"], params.get("Endpoint", "")
        if protocol not in _PROTOCOLS:
            raise AwsError(
                "InvalidParameter", f"The local cloud delivers to {', '.join(_PROTOCOLS)}, not to {protocol}."
            )
        arn = f"{topic}:{uuid.uuid5(uuid.NAMESPACE_URL, f'{topic} {protocol} {endpoint}')}"
        entry = {
            "SubscriptionArn": arn,
            "TopicArn": topic,
            "Protocol": protocol,
            "Endpoint": endpoint,
            "Owner": self._cloud.account,
        }
        self._topic(topic)[arn] = entry
        return {"SubscriptionArn": arn}

    def _unsubscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        for subscriptions in self._topics.values():
            subscriptions.pop(params["SubscriptionArn"], None)
        return {}

    def _subscriptions(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Subscriptions": list(self._topic(params["TopicArn"]).values())}

    def _publish(self, params: dict[str, Any]) -> dict[str, Any]:
        topic, message = params.get("TopicArn") or params.get("TargetArn", ""), params["Message"]
        subscriptions = self._topic(topic)
        if len(message.encode()) > _LIMIT_BYTES:
            raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
        if len(params.get("Subject") or "") > 100 or "\n" in (params.get("Subject") or ""):
            raise AwsError("InvalidParameter", "Invalid parameter: Subject")
        identity = str(uuid.uuid4())
        body = {
            "id": identity,
            "topic": topic,
            "at": self._cloud.clock.time(),
            "subject": params.get("Subject"),
            "message": message,
        }
        self._cloud.database.append(_MESSAGES, [body])
        for subscription in subscriptions.values():
            if subscription["Protocol"] == "sqs":
                self._to_queue(subscription, body)
        return {"MessageId": identity}

    def _to_queue(self, subscription: dict[str, str], body: dict[str, Any]) -> None:
        principal, queue = "sns.amazonaws.com", subscription["Endpoint"]
        try:
            self._cloud.iam.authorize_service(principal, "sqs:SendMessage", queue, {"aws:SourceArn": body["topic"]})
        except AwsError:
            self._cloud.put_metric(
                "AWS/SNS", "NumberOfNotificationsFailed", 1, "Count", {"TopicName": body["topic"].rsplit(":", 1)[-1]}
            )
            return
        text = {
            "Type": "Notification",
            "MessageId": body["id"],
            "TopicArn": body["topic"],
            "Subject": body["subject"],
            "Message": body["message"],
        }
        client = Direct(self._cloud, "sqs")
        url = client.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=json.dumps(text))
