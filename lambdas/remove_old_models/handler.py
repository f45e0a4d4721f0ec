"""State `RemoveOldModels`: delete models and endpoint configurations beyond the last N."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from remove_old_models.domain import Named, beyond, is_ours, prefix
from shared.clients import client
from shared.env import read_env
from shared.log import log

MAX_REASON_CHARACTERS = 300


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    environment: str
    pipeline: str
    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return what was removed and what could not be."""
    del context
    env = read_env(Env, os.environ)
    sagemaker = client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=env.endpoint_name)["EndpointConfigName"]
    models = _models_of(sagemaker, config)
    old_configs = beyond(_ours(env, _configs(sagemaker, env)), event["keep"], frozenset({config}))
    old_models = beyond(_ours(env, _models(sagemaker, env)), event["keep"], models)
    left = [
        *(_delete(sagemaker.delete_endpoint_config, EndpointConfigName=name) for name in old_configs),
        *(_delete(sagemaker.delete_model, ModelName=name) for name in old_models),
    ]
    result = {"endpointConfigs": old_configs, "models": old_models, "left": [text for text in left if text]}
    log("old models removed", **result)
    return result


def _ours(env: Env, found: list[Named]) -> list[Named]:
    return [item for item in found if is_ours(item.name, env.environment, env.pipeline)]


def _models_of(sagemaker: Any, config: str) -> frozenset[str]:
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return frozenset(variant["ModelName"] for variant in variants)


def _configs(sagemaker: Any, env: Env) -> list[Named]:
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains=prefix(env.environment, env.pipeline)
    )
    found = [item for page in pages for item in page["EndpointConfigs"]]
    return [Named(item["EndpointConfigName"], item["CreationTime"]) for item in found]


def _models(sagemaker: Any, env: Env) -> list[Named]:
    pages = sagemaker.get_paginator("list_models").paginate(NameContains=prefix(env.environment, env.pipeline))
    found = [item for page in pages for item in page["Models"]]
    return [Named(item["ModelName"], item["CreationTime"]) for item in found]


def _delete(delete: Any, **name: str) -> str | None:
    """Delete one; return what is left and why. One that stays does not keep the others."""
    try:
        delete(**name)
    except ClientError as error:
        return f"{next(iter(name.values()))}: {error}"[:MAX_REASON_CHARACTERS]
    return None
