"""Functions as Lambda's API makes, describes, changes and removes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelwright.local.functions import code, record
from modelwright.local.functions.refusals import refuse_unknown
from modelwright.local.functions.roles import check_role
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.record import Function
    from modelwright.local.functions.store import FunctionStore


class Catalogue:
    """Answers the operations that are about functions, each by a method of its name."""

    def __init__(self, cloud: Cloud, store: FunctionStore) -> None:
        self._cloud, self._store = cloud, store

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateFunction."""
        name = params["FunctionName"]
        with self._store.lock:
            if self._store.has(name):
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409, {"Type": "User"})
            check_role(self._cloud, params)
            folder = code.from_request(self._cloud, params["Code"])
            function = record.make(self._store.arn(name), params, folder, self._cloud.clock.now())
            self._store.put(function, kept=True)
            return function.configuration()

    def update_code(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateFunctionCode."""
        refuse_unknown(params, {"FunctionName", "ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "Publish", "DryRun"})
        function = self._store.function(params)
        changed = replace(function, code=code.from_request(self._cloud, params))
        return self._change(record.stamped(changed, self._cloud.clock.now()), write=not params.get("DryRun"))

    def update_configuration(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateFunctionConfiguration."""
        function = self._store.function(params)
        given = {key: value for key, value in params.items() if key not in {"FunctionName", "RevisionId"}}
        whole = {**_as_params(function), **given}
        check_role(self._cloud, whole)
        changed = record.make(function.arn, whole, function.code, self._cloud.clock.now())
        return self._change(replace(changed, reserved=function.reserved))

    def get(self, params: dict[str, Any]) -> dict[str, Any]:
        """GetFunction."""
        function = self._store.function(params)
        found = {
            "Configuration": function.configuration(),
            "Code": {"RepositoryType": "S3", "Location": function.code.as_uri()},
            "Tags": _tags(function),
        }
        return found if function.reserved is None else {**found, **self._concurrency_of(function)}

    def list_functions(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListFunctions."""
        functions = self._store.all()
        start = int(params.get("Marker") or 0)
        end = start + int(params.get("MaxItems", 50))
        shown = [function.configuration() for function in functions[start:end]]
        return {"Functions": shown, **({"NextMarker": str(end)} if end < len(functions) else {})}

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteFunction."""
        self._store.delete(self._store.function(params).name)
        return {"StatusCode": 204}

    def list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListTags."""
        return {"Tags": _tags(self._store.function({"FunctionName": params["Resource"]}))}

    def reserve(self, params: dict[str, Any]) -> dict[str, Any]:
        """PutFunctionConcurrency."""
        function = replace(self._store.function(params), reserved=params["ReservedConcurrentExecutions"])
        self._change(function)
        return self._concurrency_of(function)["Concurrency"]

    def unreserve(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteFunctionConcurrency."""
        self._change(replace(self._store.function(params), reserved=None))
        return {}

    def concurrency(self, params: dict[str, Any]) -> dict[str, Any]:
        """GetFunctionConcurrency."""
        function = self._store.function(params)
        return {} if function.reserved is None else self._concurrency_of(function)["Concurrency"]

    def _change(self, function: Function, *, write: bool = True) -> dict[str, Any]:
        if write:
            self._store.put(function)
        return function.configuration()

    def _concurrency_of(self, function: Function) -> dict[str, dict[str, Any]]:
        return {"Concurrency": {"ReservedConcurrentExecutions": function.reserved}}


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
