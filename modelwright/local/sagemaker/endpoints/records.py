"""An endpoint's record: what DescribeEndpoint shows of it, and what the outside hears when it changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.tags import read_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.local.cloud import Cloud

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})
_OWN = ("Plan", "Pending", "Wanted")


def described(record: dict[str, Any]) -> dict[str, Any]:
    """Return the output of DescribeEndpoint."""
    shown = {key: value for key, value in record.items() if key not in _OWN}
    if record.get("Plan"):
        shown |= _variants(record["Plan"], record["LastModifiedTime"], record.get("Wanted", ()))
        if record["Plan"][0].get("Async"):
            shown["AsyncInferenceConfig"] = record["Plan"][0]["Async"]
        capture = record["Plan"][0].get("Capture")
        if capture:
            shown["DataCaptureConfig"] = _capture(capture)
    pending = record.get("Pending")
    if pending and record["EndpointStatus"] in {"Updating", "RollingBack"}:
        shown["PendingDeploymentSummary"] = _pending(pending)
    return shown


def _pending(pending: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PendingDeploymentSummary.html."""
    started = pending["StartTime"]
    stage = [{"Status": pending.get("Stage", "Creating"), "StartTime": started}]
    shown = {"EndpointConfigName": pending["EndpointConfigName"], "StartTime": started}
    found = _variants(pending.get("Plan") or (), started)
    return shown | {kind: [{**each, "VariantStatus": stage} for each in variants] for kind, variants in found.items()}


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


def _variants(
    plan: Sequence[dict[str, Any]], resolved: Any, wanted: Sequence[dict[str, Any]] = ()
) -> dict[str, list[dict[str, Any]]]:
    asked = {each["VariantName"]: each for each in wanted}
    shown: dict[str, list[dict[str, Any]]] = {"ProductionVariants": []}
    for variant in plan:
        kind = "ShadowProductionVariants" if variant.get("Shadow") else "ProductionVariants"
        shown.setdefault(kind, []).append(_variant(variant, resolved, asked.get(variant["VariantName"], {})))
    return shown


def _variant(variant: dict[str, Any], resolved: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    image, weight, count = variant["Image"], variant["InitialVariantWeight"], variant["InitialInstanceCount"]
    shown = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": resolved}],
        "CurrentWeight": weight,
        "DesiredWeight": wanted.get("DesiredWeight", weight),
    }
    serverless = variant.get("Serverless")
    if serverless:
        asked = {**serverless, **wanted.get("ServerlessUpdateConfig", {})}
        return {**shown, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": asked}
    return {
        **shown,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": wanted.get("DesiredInstanceCount", count),
    }


def _capture(config: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfigSummary.html."""
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
