"""A request's way through a stage: route, who asks, how often, its body, the function; then log and metrics.

Here an address is `/restapis/<id>/<stage>/_user_request_/<path>` of the local endpoint; on AWS it is
`https://<id>.execute-api.<region>.amazonaws.com/<stage>/<path>`.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelwright.local.apigateway import answers
from modelwright.local.apigateway.answers import Refused
from modelwright.local.apigateway.event import Place, Who, proxy_event
from modelwright.local.apigateway.integration import Integrations
from modelwright.local.apigateway.model import fits
from modelwright.local.apigateway.replies import Reply, refusal
from modelwright.local.apigateway.reports import Asked, Reports
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.apigateway.records import Api, Deployment, Key, Plan, Route, Stage
    from modelwright.local.apigateway.service import ApiGateway
    from modelwright.local.calls.http import HttpRequest, HttpResponse
    from modelwright.local.cloud import Cloud

ADDRESS = re.compile(r"/restapis/(?P<api>[a-z0-9]+)/(?P<stage>[\w-]+)/_user_request_(?P<path>/.*)?")
LARGEST_BYTES = 10_485_760
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: 10 MB"""
_SCOPE = re.compile(r"Credential=([^/,\s]+)/[^/,\s]+/([^/,\s]+)/([^/,\s]+)/aws4_request")
_SERVICE = "execute-api"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    """The stage that an address means, and what it serves."""

    api: Api
    stage: Stage
    deployment: Deployment


class Requests:
    """Answers requests to stages. Safe to use from many threads."""

    def __init__(self, cloud: Cloud, service: ApiGateway) -> None:
        self._cloud, self._service = cloud, service
        self._integrations = Integrations(cloud)
        self._reports = Reports(cloud)

    def answer(self, http: HttpRequest) -> HttpResponse:
        """Answer one; whatever goes wrong is an answer in AWS's words."""
        request_id, began = str(uuid.uuid4()), time.monotonic()
        asked = Asked(http.method, request_id, self._cloud.clock.time(), user_agent=http.headers.get("user-agent", "-"))
        try:
            found, path = self._find(http)
        except Refused as refused:
            return refusal(refused, {}).response(request_id)
        asked = replace(asked, path=path)
        try:
            reply, asked = self._through(http, found, path, asked)
        except Refused as refused:
            reply = refusal(refused, found.deployment.responses)
        except Exception:  # noqa: BLE001 - a request is always answered
            _log.exception("a request to the API %s failed", found.api.name)
            reply = refusal(answers.failed(500), found.deployment.responses)
        self._reports.add(found.api, found.stage, asked, reply.ended(time.monotonic() - began))
        return reply.response(request_id)

    def stop(self) -> None:
        """Call nobody any more, and write down what is left."""
        self._integrations.stop()
        self._reports.stop()

    def flush(self) -> None:
        """Return when everything is written down."""
        self._reports.flush()

    def _find(self, http: HttpRequest) -> tuple[_Found, str]:
        address = ADDRESS.fullmatch(http.path)
        api = self._service.apis.get(address["api"]) if address else None
        stage = api.stages.get(address["stage"]) if api and address else None
        if address is None or api is None or stage is None:
            raise answers.unknown_api()
        deployment = api.deployments.get(stage.deployment)
        if deployment is None:  # it is being replaced at this moment
            raise answers.unknown_api()
        return _Found(api, stage, deployment), address["path"] or "/"

    def _through(self, http: HttpRequest, found: _Found, path: str, asked: Asked) -> tuple[Reply, Asked]:
        if len(http.body) > LARGEST_BYTES:
            raise answers.too_large()
        route = found.deployment.routes.get((path.rstrip("/") or "/", http.method))
        if route is None:
            raise answers.missing_token()
        who = self._signer(http, route, found) if route.signed else Who()
        who = self._key(http, route, found, who)
        asked = replace(asked, who=who)
        try:
            _check_body(http, route)
            return self._call(http, route, found, who, asked), asked
        except Refused as refused:
            return refusal(refused, found.deployment.responses), asked

    def _signer(self, http: HttpRequest, route: Route, found: _Found) -> Who:
        """Who signed, and may; the signature itself is not verified (docs/adr/0004-enforced-policies.md)."""
        scope = _SCOPE.search(http.headers.get("authorization", ""))
        if scope is None:
            raise answers.missing_token()
        if scope[3] != _SERVICE or scope[2] != self._cloud.region:
            wanted = f"Credential should be scoped to correct service: '{_SERVICE}', region: '{self._cloud.region}'."
            raise answers.bad_token(wanted, "InvalidSignatureException")
        try:
            caller = self._cloud.callers.find(scope[1], http.headers.get("x-amz-security-token", ""))
        except AwsError as error:
            raise answers.bad_token(error.message) from None
        if caller.role_arn:
            session = caller.arn.rpartition("/")[2]
            try:
                self._cloud.iam.authorize(
                    caller.role_arn, "execute-api:Invoke", self._arn(route, found), session_name=session
                )
            except AwsError as error:
                raise answers.denied(_masked(error.message, self._cloud.account)) from None
        return Who(caller=caller, access_key=scope[1])

    def _arn(self, route: Route, found: _Found) -> str:
        where = f"arn:aws:{_SERVICE}:{self._cloud.region}:{self._cloud.account}"
        return f"{where}:{found.api.id}/{found.stage.name}/{route.verb}{route.path}"

    def _key(self, http: HttpRequest, route: Route, found: _Found, who: Who) -> Who:
        """The key, where one is asked for; then the limits of the stage, of the key's plan, and its quota."""
        counted = self._counted(http, found) if route.key_required else None
        if found.stage.bucket is not None and not found.stage.bucket.take():
            raise answers.throttled()
        if counted is None:
            return who
        plan, key = counted
        bucket = plan.buckets.get(key.id)
        if bucket is not None and not bucket.take():
            raise answers.throttled()
        quota = plan.properties.get("Quota")
        if not self._service.usage.count(plan.id, key.id, int(quota["Limit"]) if quota else None):
            raise answers.used_up()
        return replace(who, key_id=key.id, key_value=key.value)

    def _counted(self, http: HttpRequest, found: _Found) -> tuple[Plan, Key]:
        value = http.headers.get("x-api-key", "")
        with self._service.lock:
            for plan in self._service.plans.values():
                if not plan.has_stage(found.api.id, found.stage.name):
                    continue
                for key in (self._service.keys.get(id_) for id_ in plan.keys):
                    if key and key.properties.get("Enabled") and value == key.value:
                        return plan, key
        raise answers.bad_key()

    def _call(self, http: HttpRequest, route: Route, found: _Found, who: Who, asked: Asked) -> Reply:
        account, api = self._cloud.account, found.api
        place = Place(account, api.id, found.stage.name, found.deployment.id, http.path)
        event = proxy_event(http, route, place, who, asked.request_id, asked.at)
        return self._integrations.call(route, self._arn(route, found), event, found.deployment.responses)


def _check_body(http: HttpRequest, route: Route) -> None:
    """A body of a type without a model is not looked at.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
    """
    kind = http.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    schema = route.models.get(kind) or route.models.get("$default")
    if schema is None:
        return
    try:
        value = json.loads(http.body)
    except (ValueError, RecursionError):
        raise answers.bad_body() from None
    if not fits(schema, value):
        raise answers.bad_body()


def _masked(message: str, account: str) -> str:
    """AWS shows the last four digits of the account in the resource only."""
    head, separator, resource = message.partition("on resource: ")
    return head + separator + resource.replace(f":{account}:", f":********{account[-4:]}:")
