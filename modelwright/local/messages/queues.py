"""SQS: standard queues whose messages outlast the local cloud.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import hashlib
import uuid
from threading import Condition
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError, Call

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

_KIND = "queue-message"
_LIMIT_BYTES = (
    1024 * 1024
)  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
_DEFAULTS = {"VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "DelaySeconds": "0"}


class Queues:
    """The service `sqs`."""

    name = "sqs"
    operations = frozenset(
        {
            "CreateQueue",
            "DeleteMessage",
            "DeleteQueue",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListQueues",
            "PurgeQueue",
            "ReceiveMessage",
            "SendMessage",
        }
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._changed = Condition()
        self._queues: dict[str, dict[str, str]] = {}
        self._hidden: dict[str, float] = {}  # message's key -> when it can be seen again
        self._ended = False

    def start(self) -> None:
        """Queues come with the template, messages lie in the database."""

    def stop(self) -> None:
        """Wake whoever waits for a message."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def messages(self) -> list[dict[str, Any]]:
        """Every message in every queue, oldest first: `{queue, at, body, attributes}`."""
        found = [{"queue": key.split("/", 1)[0], **body} for key, body in self._cloud.database.all(_KIND)]
        return sorted(found, key=lambda message: message["at"])

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        with self._changed:
            return {
                "CreateQueue": self._create,
                "DeleteMessage": self._delete_message,
                "DeleteQueue": self._delete_queue,
                "GetQueueAttributes": self._attributes,
                "GetQueueUrl": self._get_url,
                "ListQueues": self._list,
                "PurgeQueue": self._purge,
                "ReceiveMessage": self._receive,
                "SendMessage": self._send,
            }[call.operation](call.params)

    def _url(self, name: str) -> str:
        return f"{self._cloud.endpoint_url}/{self._cloud.account}/{name}"

    def _queue(self, params: dict[str, Any]) -> str:
        name = str(params["QueueUrl"]).rstrip("/").rsplit("/", 1)[-1]
        if name not in self._queues:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return name

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        self._queues[params["QueueName"]] = {**_DEFAULTS, **params.get("Attributes", {})}
        return {"QueueUrl": self._url(params["QueueName"])}

    def _delete_queue(self, params: dict[str, Any]) -> dict[str, Any]:
        self._purge(params)
        del self._queues[self._queue(params)]
        return {}

    def _get_url(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"QueueUrl": self._url(self._queue({"QueueUrl": params["QueueName"]}))}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix = params.get("QueueNamePrefix", "")
        return {"QueueUrls": [self._url(name) for name in sorted(self._queues) if name.startswith(prefix)]}

    def _attributes(self, params: dict[str, Any]) -> dict[str, Any]:
        name = self._queue(params)
        keys = [key for key, _ in self._cloud.database.all(_KIND, f"{name}/")]
        hidden = sum(self._is_hidden(key) for key in keys)
        arn = f"arn:aws:sqs:{self._cloud.region}:{self._cloud.account}:{name}"
        counts = {
            "ApproximateNumberOfMessages": str(len(keys) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        attributes = {**self._queues[name], **counts, "QueueArn": arn}
        wanted = params.get("AttributeNames", [])
        return {"Attributes": {key: value for key, value in attributes.items() if "All" in wanted or key in wanted}}

    def _is_hidden(self, key: str) -> bool:
        return self._hidden.get(key, 0.0) > self._cloud.clock.time()

    def _purge(self, params: dict[str, Any]) -> dict[str, Any]:
        name = self._queue(params)
        for key, _ in self._cloud.database.all(_KIND, f"{name}/"):
            self._cloud.database.delete(_KIND, key)
        return {}

    def _send(self, params: dict[str, Any]) -> dict[str, Any]:
        name, text = self._queue(params), params["MessageBody"]
        if len(text.encode()) > _LIMIT_BYTES:
            raise AwsError(
                "InvalidParameterValue",
                f"One or more parameters are invalid. Reason: Message must be shorter than {_LIMIT_BYTES} bytes.",
            )
        identity = str(uuid.uuid4())
        body = {
            "id": identity,
            "at": self._cloud.clock.time(),
            "body": text,
            "attributes": params.get("MessageAttributes", {}),
        }
        self._cloud.database.put(_KIND, f"{name}/{identity}", body)
        self._cloud.put_metric(
            "AWS/SQS", "ApproximateNumberOfMessagesVisible", self._visible(name), "Count", {"QueueName": name}
        )
        self._changed.notify_all()
        return {"MessageId": identity, "MD5OfMessageBody": _md5(text)}

    def _visible(self, name: str) -> int:
        return sum(not self._is_hidden(key) for key, _ in self._cloud.database.all(_KIND, f"{name}/"))

    def _receive(self, params: dict[str, Any]) -> dict[str, Any]:
        name = self._queue(params)
        self._changed.wait_for(lambda: self._ended or self._visible(name), params.get("WaitTimeSeconds", 0))
        found = sorted(self._cloud.database.all(_KIND, f"{name}/"), key=lambda entry: entry[1]["at"])
        taken = [(key, body) for key, body in found if not self._is_hidden(key)][: params.get("MaxNumberOfMessages", 1)]
        timeout = float(params.get("VisibilityTimeout", self._queues[name]["VisibilityTimeout"]))
        for key, _ in taken:
            self._hidden[key] = self._cloud.clock.time() + timeout
        return {"Messages": [_message(key, body) for key, body in taken]}

    def _delete_message(self, params: dict[str, Any]) -> dict[str, Any]:
        self._queue(params)
        self._cloud.database.delete(_KIND, params["ReceiptHandle"])
        self._hidden.pop(params["ReceiptHandle"], None)
        return {}


def _message(key: str, body: dict[str, Any]) -> dict[str, Any]:
    message = {"MessageId": body["id"], "ReceiptHandle": key, "Body": body["body"], "MD5OfBody": _md5(body["body"])}
    sent = {"SentTimestamp": str(round(body["at"] * 1000))}
    attributes = {"MessageAttributes": body["attributes"]} if body["attributes"] else {}
    return {**message, "Attributes": sent, **attributes}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
