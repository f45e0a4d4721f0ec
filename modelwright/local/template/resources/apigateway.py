"""REST APIs and what they are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway.records import Api
from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.apigateway.service import ApiGateway
    from modelwright.local.cloud import Cloud
    from modelwright.local.template.registry import Remove

_INTEGRATION = re.compile(r"arn:aws:apigateway:[^:]+:lambda:path/2015-03-31/functions/(arn:[^/]+)/invocations")
_ROUTES = "a part of its API: requests take it"


def api_service(cloud: Cloud) -> ApiGateway:
    """The service that keeps them."""
    return cloud.services["apigateway"]  # type: ignore[return-value] # our own service


def api_id(resource: Resource) -> str:
    """An id of the form that API Gateway gives: the same at every deploy."""
    return resource.digest()[:10]


def wrong(resource: Resource, why: str) -> TemplateError:
    """Say what of a resource the local cloud cannot do."""
    return TemplateError(f"{resource.stack}: {resource.logical_id} ({resource.type}): {why}.")


def api_of(cloud: Cloud, resource: Resource) -> Api:
    """The API that a resource is a part of."""
    return api_service(cloud).api(resource.required("RestApiId"))


def kept_api(cloud: Cloud, resource: Resource) -> Api | None:
    """The API that something is removed from; None when it has gone already."""
    return api_service(cloud).apis.get(resource.required("RestApiId"))


def from_api(table: Callable[[Api], dict[Any, Any]], key: Callable[[Resource], Any] | None = None) -> Remove:
    """What removes a part of an API from this table of it: by the part's physical id, or by what `key` reads."""

    def remove(cloud: Cloud, resource: Resource, physical: Physical) -> None:
        api = kept_api(cloud, resource)
        if api:
            table(api).pop(key(resource) if key else physical.id, None)

    return remove


def _remove_api(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api_service(cloud).apis.pop(physical.id, None)


@resource(
    "AWS::ApiGateway::RestApi",
    Level.RUNS,
    "its stages answer under `/restapis/<id>/<stage>/_user_request_/` of the local endpoint, not under the address of "
    "the output; Lambda proxy integrations only",
    remove=_remove_api,
)
def put_api(cloud: Cloud, resource: Resource) -> Physical:
    """An API; what it is made of are resources of their own."""
    resource.only("ApiKeySourceType", "Description", "EndpointConfiguration", "Name", "Tags")
    if resource.properties.get("ApiKeySourceType", "HEADER") != "HEADER":
        raise wrong(resource, "keys are read from the header x-api-key only")
    resource.required("Name")
    service, id_ = api_service(cloud), api_id(resource)
    with service.lock:
        known = service.apis.get(id_)
        if known:
            known.properties = resource.properties
        else:
            root = resource.digest()[10:20]
            service.apis[id_] = Api(id_, root, resource.properties, cloud.clock.time())
        return Physical(id_, {"RestApiId": id_, "RootResourceId": service.apis[id_].root})


@resource("AWS::ApiGateway::Resource", Level.RUNS, _ROUTES, remove=from_api(lambda api: api.resources))
def put_resource(cloud: Cloud, resource: Resource) -> Physical:
    """A part of a path."""
    resource.only("ParentId", "PathPart", "RestApiId")
    part, id_ = resource.required("PathPart"), api_id(resource)
    if "{" in part:
        raise wrong(resource, f"the path part {part} has a parameter, which the local cloud does not know")
    api_of(cloud, resource).resources[id_] = (resource.required("ParentId"), part)
    return Physical(id_, {"ResourceId": id_})


def _method_key(resource: Resource) -> tuple[str, str]:
    return resource.required("ResourceId"), resource.required("HttpMethod")


@resource(
    "AWS::ApiGateway::Method",
    Level.ENFORCED,
    "whom it lets in: callers with a signature whose policies allow execute-api:Invoke, or with a key of a plan; "
    "authorizers are refused",
    remove=from_api(lambda api: api.methods, _method_key),
)
def put_method(cloud: Cloud, resource: Resource) -> Physical:
    """A verb of a path: who may call it, and the function that answers."""
    resource.only(
        *("ApiKeyRequired", "AuthorizationType", "HttpMethod", "Integration", "RequestModels", "RequestValidatorId"),
        *("ResourceId", "RestApiId"),
    )
    if resource.properties.get("AuthorizationType", "NONE") not in {"NONE", "AWS_IAM"}:
        raise wrong(resource, "the local cloud knows the authorization types NONE and AWS_IAM")
    function_of(resource)
    api_of(cloud, resource).methods[_method_key(resource)] = resource.properties
    return Physical("|".join(_method_key(resource)))


def function_of(resource: Resource) -> str:
    """The ARN of the function that answers a method."""
    integration = resource.required("Integration")
    found = _INTEGRATION.fullmatch(integration.get("Uri", ""))
    if integration.get("Type") != "AWS_PROXY" or found is None or integration.get("IntegrationHttpMethod") != "POST":
        raise wrong(resource, "the local cloud knows Lambda proxy integrations only: AWS_PROXY, POST")
    return found[1]
