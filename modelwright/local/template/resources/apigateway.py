"""REST APIs and what they are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway.limits import Bucket
from modelwright.local.apigateway.model import unknown
from modelwright.local.apigateway.records import Api, Deployment, Route, Stage
from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.apigateway.service import ApiGateway
    from modelwright.local.cloud import Cloud

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


def _api(cloud: Cloud, resource: Resource) -> Api:
    return api_service(cloud).api(resource.required("RestApiId"))


def _of_api(cloud: Cloud, resource: Resource) -> Api | None:
    """The API that something is removed from; None when it has gone already."""
    return api_service(cloud).apis.get(resource.required("RestApiId"))


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


def _remove_resource(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api:
        api.resources.pop(physical.id, None)


@resource("AWS::ApiGateway::Resource", Level.RUNS, _ROUTES, remove=_remove_resource)
def put_resource(cloud: Cloud, resource: Resource) -> Physical:
    """A part of a path."""
    resource.only("ParentId", "PathPart", "RestApiId")
    part, id_ = resource.required("PathPart"), api_id(resource)
    if "{" in part:
        raise wrong(resource, f"the path part {part} has a parameter, which the local cloud does not know")
    _api(cloud, resource).resources[id_] = (resource.required("ParentId"), part)
    return Physical(id_, {"ResourceId": id_})


def _method_key(resource: Resource) -> tuple[str, str]:
    return resource.required("ResourceId"), resource.required("HttpMethod")


def _remove_method(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api:
        api.methods.pop(_method_key(resource), None)


@resource(
    "AWS::ApiGateway::Method",
    Level.ENFORCED,
    "whom it lets in: callers with a signature whose policies allow execute-api:Invoke, or with a key of a plan; "
    "authorizers are refused",
    remove=_remove_method,
)
def put_method(cloud: Cloud, resource: Resource) -> Physical:
    """A verb of a path: who may call it, and the function that answers."""
    resource.only(
        *("ApiKeyRequired", "AuthorizationType", "HttpMethod", "Integration", "RequestModels", "RequestValidatorId"),
        *("ResourceId", "RestApiId"),
    )
    if resource.properties.get("AuthorizationType", "NONE") not in {"NONE", "AWS_IAM"}:
        raise wrong(resource, "the local cloud knows the authorization types NONE and AWS_IAM")
    _function(resource)
    _api(cloud, resource).methods[_method_key(resource)] = resource.properties
    return Physical("|".join(_method_key(resource)))


def _function(resource: Resource) -> str:
    integration = resource.required("Integration")
    found = _INTEGRATION.fullmatch(integration.get("Uri", ""))
    if integration.get("Type") != "AWS_PROXY" or found is None or integration.get("IntegrationHttpMethod") != "POST":
        raise wrong(resource, "the local cloud knows Lambda proxy integrations only: AWS_PROXY, POST")
    return found[1]


def _remove_model(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api:
        api.models.pop(physical.id, None)


@resource(
    "AWS::ApiGateway::Model",
    Level.ENFORCED,
    "a body of its content type has to be like it, where a validator asks; the keywords of JSON schema that are not "
    "checked here are refused",
    remove=_remove_model,
)
def put_model(cloud: Cloud, resource: Resource) -> Physical:
    """What a body has to be like."""
    resource.only("ContentType", "Description", "Name", "RestApiId", "Schema")
    schema = resource.required("Schema")
    more = list(unknown(schema))
    if more:
        raise wrong(resource, f"its schema has {', '.join(more)}, which the local cloud does not check")
    name = resource.properties.get("Name") or resource.name(64).replace("-", "")
    _api(cloud, resource).models[name] = schema
    return Physical(name)


def _remove_validator(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api:
        api.validators.pop(physical.id, None)


@resource(
    "AWS::ApiGateway::RequestValidator",
    Level.ENFORCED,
    "bodies are held against the method's models; required parameters are refused",
    remove=_remove_validator,
)
def put_validator(cloud: Cloud, resource: Resource) -> Physical:
    """Says what of a request is looked at."""
    resource.only("Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters")
    _api(cloud, resource).validators[api_id(resource)] = resource.properties
    return Physical(api_id(resource), {"RequestValidatorId": api_id(resource)})


def _remove_response(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api:
        api.responses.pop(resource.required("ResponseType"), None)


@resource(
    "AWS::ApiGateway::GatewayResponse",
    Level.RUNS,
    "is answered in place of AWS's own text; of `$context`, what is about the error is put in",
    remove=_remove_response,
)
def put_response(cloud: Cloud, resource: Resource) -> Physical:
    """What is answered when a request goes no further."""
    resource.only("ResponseTemplates", "ResponseType", "RestApiId", "StatusCode")
    _api(cloud, resource).responses[resource.required("ResponseType")] = resource.properties
    return Physical(api_id(resource), {"Id": api_id(resource)})


def _remove_deployment(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api is None:
        return
    used = [stage.name for stage in api.stages.values() if stage.deployment == physical.id]
    if used:
        raise wrong(resource, f"Active stages pointing to this deployment must be moved or deleted: {', '.join(used)}")
    api.deployments.pop(physical.id, None)


@resource(
    "AWS::ApiGateway::Deployment",
    Level.RUNS,
    "keeps the methods as they were when it was made: a stage serves those, whatever is changed later",
    remove=_remove_deployment,
)
def put_deployment(cloud: Cloud, resource: Resource) -> Physical:
    """The API's methods of this moment; a deployment that is there stays as it is, as on AWS."""
    resource.only("Description", "RestApiId")
    api, id_ = _api(cloud, resource), api_id(resource)
    if id_ not in api.deployments:
        routes = dict(_route(api, resource, key, method) for key, method in api.methods.items())
        if not routes:
            raise wrong(resource, "The REST API doesn't contain any methods")
        api.deployments[id_] = Deployment(id_, routes, dict(api.responses))
    return Physical(id_, {"DeploymentId": id_})


def _route(
    api: Api, resource: Resource, key: tuple[str, str], method: Mapping[str, Any]
) -> tuple[tuple[str, str], Route]:
    id_, verb = key
    validator = api.validators.get(method.get("RequestValidatorId", ""), {})
    wanted = method.get("RequestModels", {}) if validator.get("ValidateRequestBody") else {}
    path = api.path_of(id_)
    found = Route(
        resource_id=id_,
        path=path,
        verb=verb,
        signed=method.get("AuthorizationType") == "AWS_IAM",
        key_required=bool(method.get("ApiKeyRequired", False)),
        function=_function(Resource(resource.stack, resource.logical_id, resource.type, method)),
        timeout_seconds=method["Integration"].get("TimeoutInMillis", 29_000) / 1000,
        models={kind: api.models[name] for kind, name in wanted.items()},
    )
    return (path, verb), found


def _remove_stage(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = _of_api(cloud, resource)
    if api:
        api.stages.pop(physical.id, None)


@resource(
    "AWS::ApiGateway::Stage",
    Level.RUNS,
    "answers requests, throttles them, writes its access log and its metrics; tracing is only recorded, execution logs "
    "and caches are refused",
    remove=_remove_stage,
)
def put_stage(cloud: Cloud, resource: Resource) -> Physical:
    """A deployment under a name."""
    resource.only(
        *("AccessLogSetting", "DeploymentId", "Description", "MethodSettings", "RestApiId", "StageName", "Tags"),
        "TracingEnabled",
    )
    api, name, deployment = _api(cloud, resource), resource.required("StageName"), resource.required("DeploymentId")
    if deployment not in api.deployments:
        raise wrong(resource, "Deployment identifier specified is invalid")
    kept = api.stages.get(name)
    bucket = _stage_bucket(cloud, resource)
    unchanged = kept and kept.properties.get("MethodSettings") == resource.properties.get("MethodSettings")
    bucket = kept.bucket if kept and unchanged else bucket
    api.stages[name] = Stage(name, deployment, resource.properties, bucket)
    return Physical(name)


def _stage_bucket(cloud: Cloud, resource: Resource) -> Bucket | None:
    found = None
    for each in resource.properties.get("MethodSettings", ()):
        if (each.get("HttpMethod"), each.get("ResourcePath")) != ("*", "/*"):
            raise wrong(resource, "the local cloud knows settings of all methods only: HttpMethod *, ResourcePath /*")
        more = sorted(set(each) - _METHOD_SETTINGS)
        if more or each.get("LoggingLevel", "OFF") != "OFF":
            raise wrong(resource, f"the local cloud does not support {', '.join(more) or 'execution logs'} of a stage")
        if "ThrottlingRateLimit" in each:
            found = Bucket(cloud.clock, each["ThrottlingRateLimit"], each.get("ThrottlingBurstLimit", 5000))
    return found


_METHOD_SETTINGS = frozenset(
    {"DataTraceEnabled", "HttpMethod", "LoggingLevel", "MetricsEnabled", "ResourcePath", "ThrottlingBurstLimit"}
    | {"ThrottlingRateLimit"}
)
