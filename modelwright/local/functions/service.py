"""The service `lambda`: functions made, described, changed and invoked.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelwright.local.functions import code, invocations, permissions, record
from modelwright.local.functions.events import EventQueue
from modelwright.local.functions.invocations import Answer, WarmSandbox
from modelwright.local.functions.pool import Pool
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.record import Function
    from modelwright.local.service import Call

_KIND = "lambda.function"
PRINCIPAL = "lambda.amazonaws.com"
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
        self._lock = threading.RLock()
        self._pools: dict[str, Pool] = {}
        self._policies: dict[str, dict[str, Any]] = {}
        self._kept: set[str] = set()
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
        for name, body in self._cloud.database.all(_KIND):
            self._kept.add(name)
            self._take(record.Function.from_document(body["function"]))
            if body["policy"]:
                self._put_policy(name, body["policy"])

    def stop(self) -> None:
        """End every process; events that were not delivered are kept."""
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.kill()
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
        self._check_role(params)
        function = record.make(self._arn(name), params, code.folder_of(self._cloud, directory), self._cloud.clock.now())
        with self._lock:
            self._kept.discard(name)
            self._put_policy(name, None)
            self._take(function)

    # Functions

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["FunctionName"]
        with self._lock:
            if name in self._pools:
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409, {"Type": "User"})
            self._check_role(params)
            folder = code.from_request(self._cloud, params["Code"])
            function = record.make(self._arn(name), params, folder, self._cloud.clock.now())
            self._kept.add(name)
            self._take(function)
            self._keep(name)
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
        self._check_role(whole)
        changed = record.make(function.arn, whole, function.code, self._cloud.clock.now())
        return self._change(replace(changed, reserved=function.reserved))

    def _change(self, function: Function, *, write: bool = True) -> dict[str, Any]:
        if write:
            with self._lock:
                self._take(function)
                self._keep(function.name)
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
        with self._lock:
            names = sorted(self._pools)
            start = int(params.get("Marker") or 0)
            end = start + int(params.get("MaxItems", 50))
            shown = [self._pools[name].function.configuration() for name in names[start:end]]
        return {"Functions": shown, **({"NextMarker": str(end)} if end < len(names) else {})}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            function = self._function(params)
            pool = self._pools.pop(function.name)
            self._put_policy(function.name, None)
            self._kept.discard(function.name)
            self._cloud.database.delete(_KIND, function.name)
        pool.close()
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
        with self._lock:
            function = self._function(params)
            added = permissions.statement(function.arn, params)
            self._put_policy(function.name, permissions.with_statement(self._policies.get(function.name), added))
            self._keep(function.name)
        return {"Statement": json.dumps(added)}

    def _remove_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            name = self._function(params).name
            self._put_policy(name, permissions.without_statement(self._policies.get(name), params["StatementId"]))
            self._keep(name)
        return {}

    def _get_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        function = self._function(params)
        policy = self._policies.get(function.name)
        if policy is None:
            raise AwsError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404, {"Type": "User"}
            )
        return {"Policy": permissions.text(policy), "RevisionId": function.revision}

    def _put_policy(self, name: str, policy: dict[str, Any] | None) -> None:
        if policy is None:
            self._policies.pop(name, None)
        else:
            self._policies[name] = policy
        self._cloud.iam.put_resource_policy(self._arn(name), policy)

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
        pool = self._pool(function.name)
        answer = invocations.invoke(self._cloud, pool, payload, request_id=request_id, wait=False, context=context)
        return _shown(answer, tail=params.get("LogType") == "Tail")

    def _run_event(self, name: str, payload: bytes, request_id: str) -> Answer:
        return invocations.invoke(self._cloud, self._pool(name), payload, request_id=request_id, wait=True)

    # What is kept

    def _take(self, function: Function) -> None:
        """Make this the function of its name; processes of an earlier revision end when they are idle."""
        old = self._pools.get(function.name)
        if (
            old is not None
            and old.function.revision == function.revision
            and old.function.reserved == function.reserved
        ):
            return
        self._pools[function.name] = Pool(function, lambda wanted: WarmSandbox(self._cloud, wanted))
        if old is not None:
            old.close()
        self._events.resume(function)

    def _keep(self, name: str) -> None:
        if name in self._kept:
            body = {"function": self._pools[name].function.to_document(), "policy": self._policies.get(name)}
            self._cloud.database.put(_KIND, name, body)

    def _function(self, params: Mapping[str, Any]) -> Function:
        return self._pool(_name(params["FunctionName"], params.get("Qualifier"))).function

    def _pool(self, name: str) -> Pool:
        with self._lock:
            pool = self._pools.get(name)
        if pool is None:
            raise AwsError("ResourceNotFoundException", f"Function not found: {self._arn(name)}", 404, {"Type": "User"})
        return pool

    def _arn(self, name: str) -> str:
        return f"arn:aws:lambda:{self._cloud.region}:{self._cloud.account}:function:{name}"

    def _check_role(self, params: Mapping[str, Any]) -> None:
        if "Role" in params and not self._cloud.iam.may_assume(
            params["Role"], PRINCIPAL, {"aws:SourceArn": self._arn(params["FunctionName"])}
        ):
            raise _invalid("The role defined for the function cannot be assumed by Lambda.")


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
