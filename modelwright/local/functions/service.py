"""The service `lambda`: functions made, described, changed and invoked.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelwright.local.functions import code, invocations, permissions, record
from modelwright.local.functions.events import EventQueue
from modelwright.local.functions.roles import check_role
from modelwright.local.functions.sandbox import folder_of_all
from modelwright.local.functions.store import FunctionStore
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.invocations import Answer
    from modelwright.local.functions.record import Function
    from modelwright.local.service import Call

_LOG_TAIL_BYTES = 4096


class Functions:
    """Lambda. Functions of a template are registered anew at each start; those of the API are kept."""

    name = "lambda"
    falls_through = False
    operations = frozenset(
        {
            "AddPermission", "CreateFunction", "DeleteFunction", "DeleteFunctionConcurrency", "GetFunction",
            "GetFunctionConcurrency", "GetFunctionConfiguration", "GetPolicy", "Invoke", "ListFunctions", "ListTags",
            "PutFunctionConcurrency", "RemovePermission", "UpdateFunctionCode", "UpdateFunctionConfiguration",
        }
    )  # fmt: skip

    def __init__(self, cloud: Cloud) -> None:
        """Know no function yet."""
        self._cloud = cloud
        self._store = FunctionStore(cloud)
        self._events = EventQueue(cloud, self._run_event)
        self._handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "AddPermission": self._add_permission,
            "CreateFunction": self._create,
            "DeleteFunction": self._delete,
            "DeleteFunctionConcurrency": self._unreserve,
            "GetFunction": self._get,
            "GetFunctionConcurrency": self._concurrency,
            "GetFunctionConfiguration": lambda params: self._function(params).configuration(),
            "GetPolicy": self._get_policy,
            "Invoke": self._invoke,
            "ListFunctions": self._list,
            "ListTags": self._list_tags,
            "PutFunctionConcurrency": self._reserve,
            "RemovePermission": self._remove_permission,
            "UpdateFunctionCode": self._update_code,
            "UpdateFunctionConfiguration": self._update_configuration,
        }

    def start(self) -> None:
        """Take up the functions that were made by the API."""
        shutil.rmtree(folder_of_all(self._cloud), ignore_errors=True)
        for function in self._store.load():
            self._events.resume(function)

    def stop(self) -> None:
        """Let every process end (the launcher waits for that); events that were not delivered are kept."""
        self._events.cease()
        self._store.kill()
        shutil.rmtree(folder_of_all(self._cloud), ignore_errors=True)
        self._events.stop()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        return self._handlers[call.operation](call.params)

    def register(self, name: str, properties: Mapping[str, Any], directory: Path) -> None:
        """Make or change a function of a template: CloudFormation's properties, its code where it lies.

        Processes of an earlier revision end when they are idle. It is not kept: the template makes it again. Its
        policy is emptied, as the template's permissions follow.
        """
        params = {"FunctionName": name, **properties}
        check_role(self._cloud, params)
        folder = code.folder_of(self._cloud, directory)
        function = record.make(self._store.arn(name), params, folder, self._cloud.clock.now())
        self._store.put(function, kept=False)
        self._store.put_policy(name, None)
        self._events.resume(function)

    # Functions

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["FunctionName"]
        with self._store.lock:
            if self._store.has(name):
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409, {"Type": "User"})
            check_role(self._cloud, params)
            folder = code.from_request(self._cloud, params["Code"])
            function = record.make(self._store.arn(name), params, folder, self._cloud.clock.now())
            self._store.put(function, kept=True)
            return function.configuration()

    def _update_code(self, params: dict[str, Any]) -> dict[str, Any]:
        _refuse(params, {"FunctionName", "ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "Publish", "DryRun"})
        function = self._function(params)
        changed = replace(function, code=code.from_request(self._cloud, params))
        return self._change(record.stamped(changed, self._cloud.clock.now()), write=not params.get("DryRun"))

    def _update_configuration(self, params: dict[str, Any]) -> dict[str, Any]:
        function = self._function(params)
        given = {key: value for key, value in params.items() if key not in {"FunctionName", "RevisionId"}}
        whole = {**_as_params(function), **given}
        check_role(self._cloud, whole)
        changed = record.make(function.arn, whole, function.code, self._cloud.clock.now())
        return self._change(replace(changed, reserved=function.reserved))

    def _change(self, function: Function, *, write: bool = True) -> dict[str, Any]:
        if write:
            self._store.put(function)
        return function.configuration()

    def _get(self, params: dict[str, Any]) -> dict[str, Any]:
        function = self._function(params)
        found = {
            "Configuration": function.configuration(),
            "Code": {"RepositoryType": "S3", "Location": function.code.as_uri()},
            "Tags": _tags(function),
        }
        return found if function.reserved is None else {**found, **self._concurrency_of(function)}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        functions = self._store.all()
        start = int(params.get("Marker") or 0)
        end = start + int(params.get("MaxItems", 50))
        shown = [function.configuration() for function in functions[start:end]]
        return {"Functions": shown, **({"NextMarker": str(end)} if end < len(functions) else {})}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        self._store.delete(self._function(params).name)
        return {"StatusCode": 204}

    def _list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": _tags(self._function({"FunctionName": params["Resource"]}))}

    # Concurrency

    def _reserve(self, params: dict[str, Any]) -> dict[str, Any]:
        function = replace(self._function(params), reserved=params["ReservedConcurrentExecutions"])
        self._change(function)
        return self._concurrency_of(function)["Concurrency"]

    def _unreserve(self, params: dict[str, Any]) -> dict[str, Any]:
        self._change(replace(self._function(params), reserved=None))
        return {}

    def _concurrency(self, params: dict[str, Any]) -> dict[str, Any]:
        function = self._function(params)
        return {} if function.reserved is None else self._concurrency_of(function)["Concurrency"]

    def _concurrency_of(self, function: Function) -> dict[str, dict[str, Any]]:
        return {"Concurrency": {"ReservedConcurrentExecutions": function.reserved}}

    # Policy

    def _add_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._store.lock:
            function = self._function(params)
            added = permissions.statement(function.arn, params)
            policy = permissions.with_statement(self._store.policy(function.name), added)
            self._store.put_policy(function.name, policy)
        return {"Statement": json.dumps(added)}

    def _remove_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._store.lock:
            name = self._function(params).name
            policy = permissions.without_statement(self._store.policy(name), params["StatementId"])
            self._store.put_policy(name, policy)
        return {}

    def _get_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        function = self._function(params)
        policy = self._store.policy(function.name)
        if policy is None:
            raise AwsError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404, {"Type": "User"}
            )
        return {"Policy": permissions.text(policy), "RevisionId": function.revision}

    # Invocations

    def _invoke(self, params: dict[str, Any]) -> dict[str, Any]:
        _refuse(params, {"FunctionName", "InvocationType", "LogType", "ClientContext", "Payload", "Qualifier"})
        function = self._function(params)
        kind = params.get("InvocationType", "RequestResponse")
        payload = params.get("Payload", b"")
        payload = payload.encode() if isinstance(payload, str) else bytes(payload)
        request_id = str(uuid.uuid4())
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            invocations.check(payload)
            self._events.take(function, payload, request_id)
            return {"StatusCode": 202, "Payload": b""}
        if kind != "RequestResponse":
            raise _invalid(f"InvocationType is {kind!r}; it must be RequestResponse, Event or DryRun")
        context = _client_context(params.get("ClientContext"))
        pool = self._store.pool(function.name)
        answer = invocations.invoke(self._cloud, pool, payload, request_id=request_id, wait=False, context=context)
        return _shown(answer, tail=params.get("LogType") == "Tail")

    def _run_event(self, name: str, payload: bytes, request_id: str) -> Answer:
        return invocations.invoke(self._cloud, self._store.pool(name), payload, request_id=request_id, wait=True)

    def _function(self, params: Mapping[str, Any]) -> Function:
        return self._store.pool(_name(params["FunctionName"], params.get("Qualifier"))).function


def _name(given: str, qualifier: str | None) -> str:
    """A function is given by its name, `account:function:name` or its ARN, each perhaps with `:$LATEST`."""
    name = given.rpartition("function:")[2]
    name, colon, version = name.partition(":")
    asked = qualifier or (version if colon else "$LATEST")
    if asked != "$LATEST":
        message = f"Function not found: {given}:{asked} (the local cloud has no versions and aliases, only $LATEST)"
        raise AwsError("ResourceNotFoundException", message, 404, {"Type": "User"})
    return name


def _shown(answer: Answer, *, tail: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": answer.payload.encode()}
    if answer.failed:
        shown["FunctionError"] = "Unhandled"
    if tail:
        shown["LogResult"] = base64.b64encode("\n".join(answer.log).encode()[-_LOG_TAIL_BYTES:]).decode()
    return shown


def _client_context(given: str | None) -> Any:
    if not given:
        return None
    try:
        return json.loads(base64.b64decode(given))
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
            400,
            {"Type": "User"},
        ) from error


def _as_params(function: Function) -> dict[str, Any]:
    found: dict[str, Any] = {
        **function.recorded,
        "FunctionName": function.name,
        "Handler": function.handler,
        "Role": function.role,
        "Runtime": function.runtime,
        "Timeout": function.timeout_seconds,
        "MemorySize": function.memory_mib,
        "Environment": {"Variables": dict(function.environment)},
        "LoggingConfig": {"LogGroup": function.log_group},
    }
    return {**found, "DeadLetterConfig": {"TargetArn": function.dead_letters}} if function.dead_letters else found


def _tags(function: Function) -> dict[str, str]:
    """A template gives a list of Key and Value, the API a map."""
    tags = function.recorded.get("Tags", {})
    return {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else dict(tags)


def _refuse(params: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(params) - known)
    if unknown:
        raise _invalid(f"{', '.join(unknown)}: the local cloud does not support this yet; leave it out")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, 400, {"Type": "User"})
