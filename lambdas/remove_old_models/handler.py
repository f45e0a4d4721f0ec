"""State `RemoveOldModels`: delete models and endpoint configurations beyond the last N."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from remove_old_models.domain import (
    MOST_AT_ONCE,
    Named,
    archives,
    beyond,
    is_ours,
    is_shadow,
    prefix,
    runs_without_models,
)
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
    artifact_bucket: str = ""
    several_models: str = ""
    """`yes` where each model that a run makes has archives of its own under a prefix of the run's."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return what was removed and what could not be."""
    del context
    env = read_env(Env, os.environ)
    sagemaker = client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=env.endpoint_name)["EndpointConfigName"]
    models = _models_of(sagemaker, config)
    all_configs = _ours(env, _configs(sagemaker, env))
    shadows = [item.name for item in all_configs if is_shadow(item.name) and item.name != config]
    kept_apart = frozenset({config, *shadows})
    old_configs = [*shadows, *beyond(all_configs, event["keep"], kept_apart)][:MOST_AT_ONCE]
    all_models = _ours(env, _models(sagemaker, env))
    old_models = beyond(all_models, event["keep"], models)
    left = [
        *(_delete(sagemaker.delete_endpoint_config, EndpointConfigName=name) for name in old_configs),
        *(_delete(sagemaker.delete_model, ModelName=name) for name in old_models),
    ]
    if env.several_models:
        left += [_delete_archives(env, run) for run in runs_without_models(old_models, all_models)]
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


def _delete_archives(env: Env, run: str) -> str | None:
    """Delete what the models of `run` were served from; return what is left and why."""
    folder = archives(env.pipeline, run)
    s3 = client("s3")
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=env.artifact_bucket, Prefix=folder)
        for page in pages:
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=env.artifact_bucket, Key=item["Key"])
    except ClientError as error:
        return f"{folder}: {error}"[:MAX_REASON_CHARACTERS]
    return None
