"""The service `lambda`: functions made, described, changed and invoked.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from modelwright.local.functions import code, invocations, record
from modelwright.local.functions.catalogue import Catalogue
from modelwright.local.functions.events import EventQueue
from modelwright.local.functions.policies import Policies
from modelwright.local.functions.refusals import invalid, refuse_unknown
from modelwright.local.functions.roles import check_role
from modelwright.local.functions.sandbox import folder_of_all
from modelwright.local.functions.store import FunctionStore
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.invocations import Answer
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
        functions, policies = Catalogue(cloud, self._store), Policies(self._store)
        self._handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "AddPermission": policies.add_permission,
            "CreateFunction": functions.create,
            "DeleteFunction": functions.delete,
            "DeleteFunctionConcurrency": functions.unreserve,
            "GetFunction": functions.get,
            "GetFunctionConcurrency": functions.concurrency,
            "GetFunctionConfiguration": lambda params: self._store.function(params).configuration(),
            "GetPolicy": policies.get_policy,
            "Invoke": self._invoke,
            "ListFunctions": functions.list_functions,
            "ListTags": functions.list_tags,
            "PutFunctionConcurrency": functions.reserve,
            "RemovePermission": policies.remove_permission,
            "UpdateFunctionCode": functions.update_code,
            "UpdateFunctionConfiguration": functions.update_configuration,
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

    def _invoke(self, params: dict[str, Any]) -> dict[str, Any]:
        refuse_unknown(params, {"FunctionName", "InvocationType", "LogType", "ClientContext", "Payload", "Qualifier"})
        function = self._store.function(params)
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
            raise invalid(f"InvocationType is {kind!r}; it must be RequestResponse, Event or DryRun")
        context = _client_context(params.get("ClientContext"))
        pool = self._store.pool(function.name)
        answer = invocations.invoke(self._cloud, pool, payload, request_id=request_id, wait=False, context=context)
        return _shown(answer, tail=params.get("LogType") == "Tail")

    def _run_event(self, name: str, payload: bytes, request_id: str) -> Answer:
        return invocations.invoke(self._cloud, self._store.pool(name), payload, request_id=request_id, wait=True)


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
