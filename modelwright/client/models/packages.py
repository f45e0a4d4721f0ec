"""Which registered model a command is about: what serves, or without an endpoint the newest that may."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session


def champion_package(session: Session, deployment: Deployment) -> str | None:
    """Return the ARN of the package that serves; None when none does yet."""
    key = {"pk": {"S": f"PIPELINE#{deployment.pipeline}"}, "sk": {"S": "CHAMPION"}}
    answer = session.client("dynamodb").get_item(TableName=deployment.table, Key=key, ConsistentRead=True)
    return str(answer["Item"]["package_arn"]["S"]) if "Item" in answer else None


def newest_package(session: Session, deployment: Deployment) -> str | None:
    """Return the ARN of the newest package that is approved, else of the newest that passed its gate."""
    client = session.client("sagemaker")
    for status in ("Approved", "PendingManualApproval"):
        found = client.list_model_packages(
            ModelPackageGroupName=deployment.model_package_group,
            ModelApprovalStatus=status,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
        if found:
            return str(found[0]["ModelPackageArn"])
    return None


def package_of(session: Session, deployment: Deployment, endpoint: str) -> str | None:
    """Return the package of a pipeline whose `deploy.endpoint` is `endpoint`; None when there is none yet."""
    return (newest_package if endpoint == "none" else champion_package)(session, deployment)
