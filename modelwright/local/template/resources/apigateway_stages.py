"""A REST API's methods of one moment, and the stages that serve them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway.limits import Bucket
from modelwright.local.apigateway.records import Api, Deployment, Route, Stage
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource
from modelwright.local.template.resources.apigateway import api_id, api_of, from_api, function_of, kept_api, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

_METHOD_SETTINGS = frozenset(
    {"DataTraceEnabled", "HttpMethod", "LoggingLevel", "MetricsEnabled", "ResourcePath", "ThrottlingBurstLimit"}
    | {"ThrottlingRateLimit"}
)


def _remove_deployment(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api = kept_api(cloud, resource)
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
    api, id_ = api_of(cloud, resource), api_id(resource)
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
        function=function_of(Resource(resource.stack, resource.logical_id, resource.type, method)),
        timeout_seconds=method["Integration"].get("TimeoutInMillis", 29_000) / 1000,
        models={kind: api.models[name] for kind, name in wanted.items()},
    )
    return (path, verb), found


@resource(
    "AWS::ApiGateway::Stage",
    Level.RUNS,
    "answers requests, throttles them, writes its access log and its metrics; tracing is only recorded, execution logs "
    "and caches are refused",
    remove=from_api(lambda api: api.stages),
)
def put_stage(cloud: Cloud, resource: Resource) -> Physical:
    """A deployment under a name."""
    resource.only(
        *("AccessLogSetting", "DeploymentId", "Description", "MethodSettings", "RestApiId", "StageName", "Tags"),
        "TracingEnabled",
    )
    api, name, deployment = api_of(cloud, resource), resource.required("StageName"), resource.required("DeploymentId")
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
