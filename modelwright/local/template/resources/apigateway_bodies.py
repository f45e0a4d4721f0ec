"""What a REST API looks at in a request's body, and what it answers when a request goes no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.apigateway.model import unknown
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource
from modelwright.local.template.resources.apigateway import api_id, api_of, from_api, wrong

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _response_type(resource: Resource) -> str:
    return str(resource.required("ResponseType"))


@resource(
    "AWS::ApiGateway::Model",
    Level.ENFORCED,
    "a body of its content type has to be like it, where a validator asks; the keywords of JSON schema that are not "
    "checked here are refused",
    remove=from_api(lambda api: api.models),
)
def put_model(cloud: Cloud, resource: Resource) -> Physical:
    """What a body has to be like."""
    resource.only("ContentType", "Description", "Name", "RestApiId", "Schema")
    schema = resource.required("Schema")
    more = list(unknown(schema))
    if more:
        raise wrong(resource, f"its schema has {', '.join(more)}, which the local cloud does not check")
    name = resource.properties.get("Name") or resource.name(64).replace("-", "")
    api_of(cloud, resource).models[name] = schema
    return Physical(name)


@resource(
    "AWS::ApiGateway::RequestValidator",
    Level.ENFORCED,
    "bodies are held against the method's models; required parameters are refused",
    remove=from_api(lambda api: api.validators),
)
def put_validator(cloud: Cloud, resource: Resource) -> Physical:
    """Says what of a request is looked at."""
    resource.only("Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters")
    api_of(cloud, resource).validators[api_id(resource)] = resource.properties
    return Physical(api_id(resource), {"RequestValidatorId": api_id(resource)})


@resource(
    "AWS::ApiGateway::GatewayResponse",
    Level.RUNS,
    "is answered in place of AWS's own text; of `$context`, what is about the error is put in",
    remove=from_api(lambda api: api.responses, _response_type),
)
def put_response(cloud: Cloud, resource: Resource) -> Physical:
    """What is answered when a request goes no further."""
    resource.only("ResponseTemplates", "ResponseType", "RestApiId", "StatusCode")
    api_of(cloud, resource).responses[resource.required("ResponseType")] = resource.properties
    return Physical(api_id(resource), {"Id": api_id(resource)})
