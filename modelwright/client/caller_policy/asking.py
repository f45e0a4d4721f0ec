"""What who uses a trained model needs: tries it, asks an asynchronous endpoint, takes it away as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.caller_policy.statements import (
    Statement,
    allow,
    ask_registry,
    decrypt,
    encrypt,
    find_champion,
    find_stacks,
    list_objects,
    read_items,
)

if TYPE_CHECKING:
    from modelwright.client.caller_policy.place import Place


def export_policy(place: Place) -> list[Statement]:
    """For `export PIPELINE --aws`: the model that serves, else the newest, and the data sets of the run of it."""
    read = [f"{place.artifacts}/{folder}/{pipeline}/*" for pipeline in place.pipelines for folder in ("models", "runs")]
    return [
        find_stacks(place),
        find_champion(place),
        ask_registry(place),
        # takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
        allow("ListTheRegistry", ["sagemaker:ListModelPackages"], ["*"]),
        allow("ReadTheModel", ["s3:GetObject"], read),
        list_objects("ListItsData", place.artifacts, [f"runs/{pipeline}/*" for pipeline in place.pipelines]),
        *read_items(place),
        *decrypt(place, "DecryptTheModel"),
    ]


def open_policy(place: Place) -> list[Statement]:
    """For `open PIPELINE --aws`: what serves, its schema, and asking it, through its REST API or directly.

    AWS makes up the ids of APIs and keys: put those of the stack's outputs `ApiUrl` and `ApiKeyId` in place of the `*`.
    Who only calls the API needs `AskTheApi` alone, and with API keys nothing.
    """
    read = [f"{place.artifacts}/releases/{pipeline}/*" for pipeline in place.pipelines]
    read += [f"{place.artifacts}/models/{pipeline}/*/schema.json" for pipeline in place.pipelines]
    return [
        find_stacks(place),
        find_champion(place),
        allow("ReadItsSchema", ["s3:GetObject"], read),
        list_objects("SeeWhetherItHasOne", place.artifacts, [f"models/{pipeline}/*" for pipeline in place.pipelines]),
        allow("AskTheApi", ["execute-api:Invoke"], [place.arn("execute-api", "*/live/POST/predict")]),
        allow("ReadItsKey", ["apigateway:GET"], [place.arn("apigateway", "/apikeys/*", account="")]),
        allow("AskTheEndpoint", ["sagemaker:InvokeEndpoint"], place.each("sagemaker", "endpoint/{name}")),
        *read_items(place),
        *decrypt(place, "DecryptItsSchema"),
    ]


def later_policy(place: Place) -> list[Statement]:
    """For `predict PIPELINE --aws` where the endpoint is asynchronous: the request and the answer lie in S3."""
    inputs = [f"{place.artifacts}/async/{each}/input/*" for each in place.pipelines]
    answers = [f"{place.artifacts}/async/{each}/{what}/*" for each in place.pipelines for what in ("output", "failure")]
    return [
        find_stacks(place),
        allow("BringRequests", ["s3:PutObject"], inputs),
        allow("AskLater", ["sagemaker:InvokeEndpointAsync"], place.each("sagemaker", "endpoint/{name}")),
        allow("ReadAnswers", ["s3:GetObject"], answers),
        list_objects("SeeWhetherItIsThere", place.artifacts, [f"async/{each}/*" for each in place.pipelines]),
        *encrypt(place),
        *decrypt(place, "DecryptAnswers"),
    ]
