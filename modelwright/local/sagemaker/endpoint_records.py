"""An endpoint's record: what DescribeEndpoint shows of it, and what the outside hears when it changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.tags import read_tags

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})
_OWN = ("Plan", "Pending")


def described(record: dict[str, Any]) -> dict[str, Any]:
    """Return the output of DescribeEndpoint."""
    shown = {key: value for key, value in record.items() if key not in _OWN}
    if record.get("Plan"):
        shown["ProductionVariants"] = [_variant(variant, record["LastModifiedTime"]) for variant in record["Plan"]]
    pending = record.get("Pending")
    if pending and record["EndpointStatus"] in {"Updating", "RollingBack"}:
        shown["PendingDeploymentSummary"] = _pending(pending)
    return shown


def _pending(pending: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PendingDeploymentSummary.html."""
    started = pending["StartTime"]
    variants = [_variant(variant, started) for variant in pending.get("Plan") or ()]
    stage = [{"Status": pending.get("Stage", "Creating"), "StartTime": started}]
    shown = {"EndpointConfigName": pending["EndpointConfigName"], "StartTime": started}
    return {**shown, "ProductionVariants": [{**variant, "VariantStatus": stage} for variant in variants]}


def announce(cloud: Cloud, record: dict[str, Any]) -> None:
    """Publish `SageMaker Endpoint State Change`.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    shown = described(record)
    tags = {tag["Key"]: tag["Value"] for tag in read_tags(cloud.database, record["EndpointArn"])}
    members = ("EndpointName", "EndpointArn", "EndpointConfigName", "FailureReason")
    detail = {key: shown[key] for key in members if key in shown}
    detail["EndpointStatus"] = re.sub(r"(?<!^)(?=[A-Z])", "_", shown["EndpointStatus"]).upper()
    for key in ("CreationTime", "LastModifiedTime"):
        detail[key] = round(shown[key].timestamp() * 1000)
    event = {
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Endpoint State Change",
        "resources": [record["EndpointArn"]],
        "detail": {**detail, "Tags": tags},
    }
    cloud.publish_event(event)


def _variant(variant: dict[str, Any], resolved: Any) -> dict[str, Any]:
    image = variant["Image"]
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": resolved}],
        "CurrentWeight": variant["InitialVariantWeight"],
        "DesiredWeight": variant["InitialVariantWeight"],
        "CurrentInstanceCount": variant["InitialInstanceCount"],
        "DesiredInstanceCount": variant["InitialInstanceCount"],
    }
