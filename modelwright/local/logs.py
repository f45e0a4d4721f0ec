"""CloudWatch Logs: groups, streams and events, kept in the database.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError, Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.local.cloud import Cloud

_GROUP, _STREAM, _PAGE = "log-group", "log-stream", 10_000
_KEY_ACTIONS = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey")
_KEY_CONTEXT = "kms:EncryptionContext:aws:logs:arn"
_SEPARATOR = "\n"  # a group's or stream's name has none


class Logs:
    """The service `logs`. Groups of the platform (`/aws/…`) come into being with their first line, as on AWS."""

    name = "logs"
    operations = frozenset(
        {
            "AssociateKmsKey",
            "CreateLogGroup",
            "CreateLogStream",
            "DeleteLogGroup",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "DisassociateKmsKey",
            "FilterLogEvents",
            "GetLogEvents",
            "PutLogEvents",
        }
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = RLock()
        self._known: set[tuple[str, str]] = set()

    def start(self) -> None:
        """The database is the state."""

    def stop(self) -> None:
        """Nothing runs here."""

    def write(self, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Append lines (epoch seconds, text), making group and stream where they are missing."""
        if not lines:
            return
        database = self._cloud.database
        with self._lock:
            if (group, stream) not in self._known:
                self._ensure(group, stream)
                self._known.add((group, stream))
            database.append(
                _key(group, stream), [{"timestamp": round(at * 1000), "message": text} for at, text in lines]
            )

    def _ensure(self, group: str, stream: str) -> None:
        database = self._cloud.database
        if database.get(_GROUP, group) is None:
            database.put(_GROUP, group, {"created": self._now()})
        if database.get(_STREAM, group + _SEPARATOR + stream) is None:
            database.put(_STREAM, group + _SEPARATOR + stream, {"created": self._now()})

    def _now(self) -> int:
        return round(self._cloud.clock.time() * 1000)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        return {
            "AssociateKmsKey": self._change_key,
            "CreateLogGroup": self._create_group,
            "CreateLogStream": self._create_stream,
            "DeleteLogGroup": self._delete_group,
            "DescribeLogGroups": self._describe_groups,
            "DescribeLogStreams": self._describe_streams,
            "DisassociateKmsKey": self._change_key,
            "FilterLogEvents": self._filter,
            "GetLogEvents": self._get,
            "PutLogEvents": self._put,
        }[call.operation](call.params)

    def _create_group(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if self._cloud.database.get(_GROUP, params["logGroupName"]) is not None:
                raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
            self._put_group(params["logGroupName"], self._now(), params.get("kmsKeyId"))
        return {}

    def _change_key(self, params: dict[str, Any]) -> dict[str, Any]:
        group = str(params.get("logGroupName") or params["resourceIdentifier"].split(":log-group:")[-1])
        with self._lock:
            known = self._cloud.database.get(_GROUP, group)
            if known is None:
                raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
            self._put_group(group, known["created"], params.get("kmsKeyId"))
        return {}

    def _put_group(self, name: str, created: int, key: str | None) -> None:
        if key:
            self._check_key(name, key)
        self._cloud.database.put(_GROUP, name, {"created": created, **({"kmsKeyId": key} if key else {})})

    def _check_key(self, group: str, key: str, actions: tuple[str, ...] = _KEY_ACTIONS) -> None:
        """Refuse a key whose policy does not let CloudWatch Logs use it for this group.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        """
        arn = self._arn(group)
        principal = f"logs.{self._cloud.region}.amazonaws.com"
        try:
            for action in actions:
                self._cloud.iam.authorize_service(principal, f"kms:{action}", key, {_KEY_CONTEXT: arn})
        except AwsError as error:
            message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
            raise AwsError("AccessDeniedException", f"{message} ({error.message})") from error

    def _check_readable(self, group: str) -> None:
        """Refuse to show what is encrypted with a key that CloudWatch Logs may not use any more.

        "If you revoke CloudWatch Logs access to an associated key …, your encrypted data in CloudWatch Logs can no
        longer be retrieved" (the same page; it names no error).
        """
        key = (self._cloud.database.get(_GROUP, group) or {}).get("kmsKeyId")
        if key:
            self._check_key(group, key, ("Decrypt",))

    def _create_stream(self, params: dict[str, Any]) -> dict[str, Any]:
        group, stream = params["logGroupName"], params["logStreamName"]
        with self._lock:
            self._require_group(group)
            if self._cloud.database.get(_STREAM, group + _SEPARATOR + stream) is not None:
                raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
            self._ensure(group, stream)
        return {}

    def _require_group(self, group: str) -> None:
        if self._cloud.database.get(_GROUP, group) is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")

    def _delete_group(self, params: dict[str, Any]) -> dict[str, Any]:
        group = params["logGroupName"]
        with self._lock:
            self._require_group(group)
            for stream in self._streams(group):
                self._cloud.database.delete(_STREAM, group + _SEPARATOR + stream)
                self._cloud.database.delete_stream(_key(group, stream))
                self._known.discard((group, stream))
            self._cloud.database.delete(_GROUP, group)
        return {}

    def _describe_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        found = self._cloud.database.all(_GROUP, params.get("logGroupNamePrefix", ""))
        return {"logGroups": [self._group(name, body) for name, body in found]}

    def _group(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        arn = self._arn(name)
        shown = {"logGroupName": name, "creationTime": body["created"], "arn": f"{arn}:*", "logGroupArn": arn}
        return {**shown, **({"kmsKeyId": body["kmsKeyId"]} if "kmsKeyId" in body else {})}

    def _arn(self, name: str) -> str:
        return f"arn:aws:logs:{self._cloud.region}:{self._cloud.account}:log-group:{name}"

    def _describe_streams(self, params: dict[str, Any]) -> dict[str, Any]:
        group = _group_name(params)
        self._require_group(group)
        prefix = params.get("logStreamNamePrefix", "")
        names = [name for name in self._streams(group) if name.startswith(prefix)]
        return {"logStreams": [{"logStreamName": name} for name in names]}

    def _streams(self, group: str) -> list[str]:
        return [key.split(_SEPARATOR, 1)[1] for key, _ in self._cloud.database.all(_STREAM, group + _SEPARATOR)]

    def _put(self, params: dict[str, Any]) -> dict[str, Any]:
        group, stream = params["logGroupName"], params["logStreamName"]
        if self._cloud.database.get(_STREAM, group + _SEPARATOR + stream) is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        self.write(group, stream, [(event["timestamp"] / 1000, event["message"]) for event in params["logEvents"]])
        return {}

    def _get(self, params: dict[str, Any]) -> dict[str, Any]:
        """Events of one stream, oldest first; the token is the number of the last event seen."""
        group, stream = _group_name(params), params["logStreamName"]
        if self._cloud.database.get(_STREAM, group + _SEPARATOR + stream) is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        self._check_readable(group)
        after = int(params["nextToken"].split("/", 1)[1]) if params.get("nextToken") else 0
        found = self._cloud.database.read(_key(group, stream), after, min(params.get("limit", _PAGE), _PAGE))
        last = found[-1][0] if found else after
        events = [{**event, "ingestionTime": event["timestamp"]} for _, event in found if _within(event, params)]
        return {"events": events, "nextForwardToken": f"f/{last}", "nextBackwardToken": f"b/{after}"}

    def _filter(self, params: dict[str, Any]) -> dict[str, Any]:
        """Events of many streams in the order of time. A filter pattern is not supported."""
        if params.get("filterPattern"):
            raise AwsError(
                "InvalidParameterException", "filterPattern is not supported by the local cloud; leave it out."
            )
        group = _group_name(params)
        self._require_group(group)
        self._check_readable(group)
        wanted, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix", "")
        streams = [name for name in self._streams(group) if name.startswith(prefix) and (not wanted or name in wanted)]
        events = sorted(
            (event for name in streams for event in self._events(group, name, params)),
            key=lambda event: event["timestamp"],
        )
        start = int(params.get("nextToken") or 0)
        end = start + min(params.get("limit", _PAGE), _PAGE)
        return {"events": events[start:end], **({"nextToken": str(end)} if end < len(events) else {})}

    def _events(self, group: str, stream: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for number, event in self._cloud.database.read(_key(group, stream)):
            if _within(event, params):
                yield {
                    **event,
                    "ingestionTime": event["timestamp"],
                    "logStreamName": stream,
                    "eventId": f"{stream}/{number}",
                }


def _key(group: str, stream: str) -> str:
    return f"log{_SEPARATOR}{group}{_SEPARATOR}{stream}"


def _group_name(params: dict[str, Any]) -> str:
    if params.get("logGroupName"):
        return str(params["logGroupName"])
    return str(params["logGroupIdentifier"]).split(":log-group:")[-1].removesuffix(":*")


def _within(event: dict[str, Any], params: dict[str, Any]) -> bool:
    return bool(params.get("startTime", 0) <= event["timestamp"] < params.get("endTime", float("inf")))
