"""The model that batch transform takes: the champion's, made once with the role of batch transform.

A transform job has no role of its own, it runs with its model's; that of the endpoint may not read or write data.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.models.packages import package_of
from modelwright.client.problems import is_missing
from modelwright.client.releases.uploads import exists
from modelwright.errors import NotDeployed, NotSupported
from modelwright.workflow.run_names import batch_model

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session
    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.pipeline import PipelineSettings


@dataclass(frozen=True)
class BatchModel:
    """A registered package, and the model's name that transform jobs take."""

    package: str
    run: str
    name: str
    container: dict[str, Any]
    isolated: bool
    schema: str | None
    """The text of its schema.json; None: the model has none."""


def find_model(session: Session, deployment: Deployment, pipeline: PipelineSettings, environment: str) -> BatchModel:
    """Return what serves, or without an endpoint the newest package that is approved, else passed its gate.

    Raises:
        NotDeployed: there is none yet, or the stack has no role for batch transform.
        NotSupported: an endpoint of several models.
    """
    if deployment.batch_role is None:
        raise NotDeployed(
            f"What is deployed of {deployment.pipeline} has no role for batch transform.",
            f"Write `batch: {{instance: ml.m5.large}}` into its pipeline.yaml, then `modelwright "
            f"{'run' if session.is_local else 'deploy'} {deployment.pipeline}{session.environment_option}`.",
        )
    if pipeline.deploy.endpoint == "multi-model":
        raise NotSupported("Batch transform takes one model, and this pipeline's endpoint has several.")
    package = package_of(session, deployment, pipeline.deploy.endpoint)
    if package is None:
        raise NotDeployed(
            f"There is no model of {deployment.pipeline} yet.",
            f"`modelwright run {deployment.pipeline}{session.options}` trains one.",
        )
    found = session.client("sagemaker").describe_model_package(ModelPackageName=package)
    about = found.get("CustomerMetadataProperties", {})
    container = found["InferenceSpecification"]["Containers"][0]
    kept = {key: container[key] for key in ("Image", "ModelDataUrl", "Environment") if key in container}
    release = _document(session, deployment.artifact_bucket, f"releases/{deployment.pipeline}/{about['release']}.json")
    isolated = not (release or {}).get("code", {}).get("requirements", True)
    name = batch_model(environment, deployment.pipeline, about["run"])
    return BatchModel(package, about["run"], name, kept, isolated, _schema(session, kept["ModelDataUrl"]))


def ensure_model(
    session: Session, deployment: Deployment, model: BatchModel, settings: EnvironmentSettings, tags: dict[str, str]
) -> None:
    """Make the model, unless it is there as it has to be."""
    client = session.client("sagemaker")
    wanted: dict[str, Any] = {
        "ModelName": model.name,
        "ExecutionRoleArn": deployment.batch_role,
        "PrimaryContainer": model.container,
        "EnableNetworkIsolation": model.isolated,
    }
    if settings.vpc:
        groups = list(settings.vpc.security_groups)
        wanted["VpcConfig"] = {"Subnets": list(settings.vpc.subnets), "SecurityGroupIds": groups}
    there = _existing(client, model.name)
    if there is not None:
        if _same(wanted, there):
            return
        client.delete_model(ModelName=model.name)
    try:
        client.create_model(**wanted, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    except client.exceptions.ClientError:
        if _existing(client, model.name) is None:  # another `modelwright batch` has made it meanwhile
            raise


def _existing(client: Any, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.describe_model(ModelName=name)
    except client.exceptions.ClientError as error:
        if is_missing(error):
            return None
        raise
    return found


def _same(wanted: dict[str, Any], there: dict[str, Any]) -> bool:
    """AWS adds to a container what was not given (Mode and the like): only what was asked for is compared."""
    container, found = wanted["PrimaryContainer"], there.get("PrimaryContainer", {})
    keys = ("ExecutionRoleArn", "EnableNetworkIsolation", "VpcConfig")
    same = all(wanted.get(key) == there.get(key) for key in keys)
    return same and all(found.get(key) == value for key, value in container.items())


def _document(session: Session, bucket: str, key: str) -> dict[str, Any] | None:
    """Return a JSON object of S3; None when there is none."""
    client = session.client("s3")
    if not exists(client, bucket, key):
        return None
    found = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    return found if isinstance(found, dict) else None


def _schema(session: Session, uri: str) -> str | None:
    """Return the schema that lies beside the archive."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    document = _document(session, bucket, f"{key.rpartition('/')[0]}/schema.json")
    return json.dumps(document) if document else None
