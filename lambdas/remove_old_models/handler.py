"""State `RemoveOldModels`: delete models and endpoint configurations beyond the last N."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from remove_old_models.domain import Named, beyond, run_of
from shared.clients import client
from shared.env import read_env
from shared.log import log
from shared.table import read_item, run_key


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str
    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return what was removed and what could not be."""
    del context
    env = read_env(Env, os.environ)
    sagemaker = client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=env.endpoint_name)["EndpointConfigName"]
    models = _models_of(sagemaker, config)
    old_configs = beyond(_ours(env, _configs(sagemaker, env.pipeline)), event["keep"], frozenset({config}))
    old_models = beyond(_ours(env, _models(sagemaker, env.pipeline)), event["keep"], models)
    left = [
        *(_delete(sagemaker.delete_endpoint_config, EndpointConfigName=name) for name in old_configs),
        *(_delete(sagemaker.delete_model, ModelName=name) for name in old_models),
    ]
    result = {"endpointConfigs": old_configs, "models": old_models, "left": [text for text in left if text]}
    log("old models removed", **result)
    return result


def _ours(env: Env, found: list[Named]) -> list[Named]:
    """What this environment's runs made: another one in the same account has pipelines of the same names."""
    table = client("dynamodb")
    runs = {item.name: run_of(item.name, env.pipeline) for item in found}
    return [
        item
        for item in found
        if (run := runs[item.name]) and read_item(table, env.table_name, run_key(env.pipeline, run))
    ]


def _models_of(sagemaker: Any, config: str) -> frozenset[str]:
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return frozenset(variant["ModelName"] for variant in variants)


def _configs(sagemaker: Any, pipeline: str) -> list[Named]:
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=f"{pipeline}-")
    found = [item for page in pages for item in page["EndpointConfigs"]]
    return [Named(item["EndpointConfigName"], item["CreationTime"]) for item in found]


def _models(sagemaker: Any, pipeline: str) -> list[Named]:
    pages = sagemaker.get_paginator("list_models").paginate(NameContains=f"{pipeline}-")
    found = [item for page in pages for item in page["Models"]]
    return [Named(item["ModelName"], item["CreationTime"]) for item in found]


def _delete(delete: Any, **name: str) -> str | None:
    """Delete one; return what is left and why. One that stays does not keep the others."""
    try:
        delete(**name)
    except ClientError as error:
        return f"{next(iter(name.values()))}: {error}"
    return None
