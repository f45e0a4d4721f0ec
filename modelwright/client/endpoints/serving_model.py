"""What is known of the model that serves: its run, its schema, whether its pipeline prepares rows first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import NotDeployed

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session


@dataclass(frozen=True)
class ServingModel:
    """The champion, as somebody needs it who asks it."""

    run: str
    schema: dict[str, Any] | None
    """Its schema's document; None where it has none."""
    hook: str | None
    """The file of the pipeline that prepares what comes through its REST API; None: rows are the model's own."""


def serving_model(session: Session, deployment: Deployment) -> ServingModel:
    """Return what serves now; NotDeployed when nothing does yet."""
    key = {"pk": {"S": f"PIPELINE#{deployment.pipeline}"}, "sk": {"S": "CHAMPION"}}
    answer = session.client("dynamodb").get_item(TableName=deployment.table, Key=key, ConsistentRead=True)
    if "Item" not in answer:
        hint = f"`modelwright run {deployment.pipeline}{session.options}` trains one."
        raise NotDeployed(f"No model of {deployment.pipeline} serves yet.", hint)
    item = {name: value.get("S", "") for name, value in answer["Item"].items()}
    return ServingModel(item["run"], _schema(session, deployment, item), _hook(session, deployment, item["release"]))


def _schema(session: Session, deployment: Deployment, champion: dict[str, str]) -> dict[str, Any] | None:
    model = champion.get("model_sha256")
    if not model:
        return None
    bucket, key = deployment.artifact_bucket, f"models/{deployment.pipeline}/{model}/schema.json"
    # asked for first: what is not there is AccessDenied to who may list this prefix only
    found = session.client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    return _read(session, deployment, key) if any(entry["Key"] == key for entry in found) else None


def _hook(session: Session, deployment: Deployment, release: str) -> str | None:
    if deployment.api_url is None:
        return None  # asked directly, the endpoint knows no hook
    manifest = _read(session, deployment, f"releases/{deployment.pipeline}/{release}.json")
    return ((manifest.get("deploy") or {}).get("api") or {}).get("hook")


def _read(session: Session, deployment: Deployment, key: str) -> dict[str, Any]:
    answer = session.client("s3").get_object(Bucket=deployment.artifact_bucket, Key=key)
    found: dict[str, Any] = json.loads(answer["Body"].read())
    return found
