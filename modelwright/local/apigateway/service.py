"""The service `apigateway`: REST APIs that a template makes, described by AWS's API and asked under their address.

https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

import secrets
import string
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway.limits import Usage
from modelwright.local.apigateway.requests import Requests
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.local.apigateway.records import Api, Key, Plan
    from modelwright.local.calls.http import HttpRequest, HttpResponse
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

_KEY = "api-key"
_KEY_CHARACTERS = string.ascii_letters + string.digits
_KEY_LENGTH = 40
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: 20 to 128; those that AWS makes have 40"""


class ApiGateway:
    """REST APIs. They are changed by templates alone; AWS's API describes them here."""

    name = "apigateway"
    falls_through = False
    operations = frozenset(
        {
            "GetAccount", "GetApiKey", "GetApiKeys", "GetResources", "GetRestApi", "GetRestApis", "GetStage",
            "GetStages", "GetUsage", "GetUsagePlan", "GetUsagePlans",
        }
    )  # fmt: skip

    def __init__(self, cloud: Cloud) -> None:
        """Know no API yet."""
        self._cloud = cloud
        self.lock = threading.RLock()
        self.apis: dict[str, Api] = {}
        self.keys: dict[str, Key] = {}
        self.plans: dict[str, Plan] = {}
        self.log_role: str | None = None
        """The account's: with which role it writes logs."""
        self.usage = Usage(cloud.clock, cloud.database)
        self._requests = Requests(cloud, self)
        self._handlers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetAccount": lambda _: {"cloudwatchRoleArn": self.log_role} if self.log_role else {},
            "GetApiKey": self._get_key,
            "GetApiKeys": self._get_keys,
            "GetResources": self._get_resources,
            "GetRestApi": lambda params: self._described(self.api(params["restApiId"])),
            "GetRestApis": lambda _: {"items": [self._described(api) for api in self.apis.values()]},
            "GetStage": self._get_stage,
            "GetStages": self._get_stages,
            "GetUsage": self._get_usage,
            "GetUsagePlan": lambda params: self._plan(self.plan(params["usagePlanId"])),
            "GetUsagePlans": lambda _: {"items": [self._plan(plan) for plan in self.plans.values()]},
        }

    def start(self) -> None:
        """The template makes the APIs anew; keys' values and what was used of a quota are in the database."""

    def stop(self) -> None:
        """Write down what was counted last."""
        self._requests.stop()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call of AWS's API."""
        with self.lock:
            return self._handlers[call.operation](call.params)

    def serve(self, http: HttpRequest) -> HttpResponse:
        """Answer a request to a stage: `/restapis/<id>/<stage>/_user_request_/<path>`."""
        return self._requests.answer(http)

    def flush(self) -> None:
        """Return when what was asked so far is in metrics and access logs."""
        self._requests.flush()

    # What a template makes

    def api(self, id_: str) -> Api:
        """The API of this id."""
        found = self.apis.get(id_)
        if found is None:
            raise _not_found(f"Invalid API identifier specified {self._cloud.account}:{id_}")
        return found

    def plan(self, id_: str) -> Plan:
        """The usage plan of this id."""
        found = self.plans.get(id_)
        if found is None:
            raise _not_found("Invalid Usage Plan ID specified")
        return found

    def key_value(self, id_: str, given: str | None) -> str:
        """The value of a key: as the template gives it, or made once and kept for all starts."""
        if given:
            return given
        kept = self._cloud.database.get(_KEY, id_)
        if kept is None:
            kept = {"value": "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(_KEY_LENGTH))}
            self._cloud.database.put(_KEY, id_, kept)
        return str(kept["value"])

    def forget_key(self, id_: str) -> None:
        """Remove a key: one that is made again has another value."""
        with self.lock:
            self.keys.pop(id_, None)
            for plan in self.plans.values():
                plan.keys.discard(id_)
        self._cloud.database.delete(_KEY, id_)

    # What is described

    def _described(self, api: Api) -> dict[str, Any]:
        kinds = (api.properties.get("EndpointConfiguration") or {}).get("Types", ["EDGE"])
        found = {"id": api.id, "name": api.name, "rootResourceId": api.root, "createdDate": _time(api.created)}
        more = {"apiKeySource": api.properties.get("ApiKeySourceType", "HEADER"), "apiStatus": "AVAILABLE"}
        text = api.properties.get("Description")
        return {**found, **more, "endpointConfiguration": {"types": kinds}} | ({"description": text} if text else {})

    def _get_resources(self, params: Mapping[str, Any]) -> dict[str, Any]:
        api = self.api(params["restApiId"])
        items: list[dict[str, Any]] = [{"id": api.root, "path": "/"}]
        for id_, (parent, part) in api.resources.items():
            verbs: dict[str, Any] = {verb: {} for resource, verb in api.methods if resource == id_}
            shown = {"id": id_, "parentId": parent, "pathPart": part, "path": api.path_of(id_)}
            items.append({**shown, **({"resourceMethods": verbs} if verbs else {})})
        return {"items": items}

    def _get_stage(self, params: Mapping[str, Any]) -> dict[str, Any]:
        stage = self.api(params["restApiId"]).stages.get(params["stageName"])
        if stage is None:
            raise _not_found("Invalid stage identifier specified")
        return _stage(stage.name, stage.deployment, stage.properties)

    def _get_stages(self, params: Mapping[str, Any]) -> dict[str, Any]:
        stages = self.api(params["restApiId"]).stages.values()
        return {"item": [_stage(stage.name, stage.deployment, stage.properties) for stage in stages]}

    def _get_key(self, params: Mapping[str, Any]) -> dict[str, Any]:
        key = self.keys.get(params["apiKey"])
        if key is None:
            raise _not_found("Invalid API Key identifier specified")
        return self._key(key, value=bool(params.get("includeValue")))

    def _get_keys(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"items": [self._key(key, value=bool(params.get("includeValues"))) for key in self.keys.values()]}

    def _key(self, key: Key, *, value: bool) -> dict[str, Any]:
        stages = [
            f"{each['ApiId']}/{each['Stage']}"
            for plan in self.plans.values()
            if key.id in plan.keys
            for each in plan.properties.get("ApiStages", ())
        ]
        found: dict[str, Any] = {"id": key.id, "enabled": bool(key.properties.get("Enabled", False))}
        found |= {"stageKeys": stages, "createdDate": _time(key.created)}
        found |= {"description": text} if (text := key.properties.get("Description")) else {}
        found |= {"name": name} if (name := key.properties.get("Name")) else {}
        return found | ({"value": key.value} if value else {})

    def _plan(self, plan: Plan) -> dict[str, Any]:
        properties = plan.properties
        stages = [{"apiId": each["ApiId"], "stage": each["Stage"]} for each in properties.get("ApiStages", ())]
        found: dict[str, Any] = {"id": plan.id, "name": properties.get("UsagePlanName", ""), "apiStages": stages}
        if throttle := properties.get("Throttle"):
            found["throttle"] = {"rateLimit": throttle["RateLimit"], "burstLimit": throttle["BurstLimit"]}
        if quota := properties.get("Quota"):
            found["quota"] = {"limit": quota["Limit"], "period": quota["Period"]}
        return found

    def _get_usage(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Of one day, the first and the last that is asked for: what was used, and what is left."""
        plan = self.plan(params["usagePlanId"])
        start, end = params["startDate"], params["endDate"]
        if start != end:
            raise AwsError("BadRequestException", "the local cloud tells of one day at a time: startDate = endDate")
        limit = (plan.properties.get("Quota") or {}).get("Limit")
        items = {}
        for key in sorted(plan.keys):
            used = self.usage.used(plan.id, key, start)
            items[key] = [[used, (limit or 0) - used if limit else 0]]
        return {"usagePlanId": plan.id, "startDate": start, "endDate": end, "items": items}


def _stage(name: str, deployment: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    log = properties.get("AccessLogSetting") or {}
    shown: dict[str, Any] = {"stageName": name, "deploymentId": deployment}
    shown["tracingEnabled"] = bool(properties.get("TracingEnabled", False))
    if log:
        shown["accessLogSettings"] = {"destinationArn": log["DestinationArn"], "format": log["Format"]}
    shown["methodSettings"] = {
        f"{each['ResourcePath'].strip('/') or '*'}/{each['HttpMethod']}": {
            "throttlingRateLimit": each.get("ThrottlingRateLimit", 10_000),
            "throttlingBurstLimit": each.get("ThrottlingBurstLimit", 5_000),
            "loggingLevel": each.get("LoggingLevel", "OFF"),
            "dataTraceEnabled": bool(each.get("DataTraceEnabled", False)),
        }
        for each in properties.get("MethodSettings", ())
    }
    return shown


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _not_found(message: str) -> AwsError:
    return AwsError("NotFoundException", message, 404)
