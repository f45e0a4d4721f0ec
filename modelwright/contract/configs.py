"""The JSON files that SageMaker writes into a container, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSTANCE_GROUP = "homogeneousCluster"
NETWORK_INTERFACE = "eth0"


def hosts(instance_count: int) -> list[str]:
    """Return the names of a job's hosts: `algo-1`, `algo-2` and so on."""
    return [f"algo-{number}" for number in range(1, instance_count + 1)]


def resource_config(instance_type: str, instance_count: int = 1, current: int = 1) -> dict[str, Any]:
    """Return `resourceconfig.json` of a training container."""
    names = hosts(instance_count)
    group = {"instance_group_name": INSTANCE_GROUP, "instance_type": instance_type, "hosts": names}
    return {
        "current_host": names[current - 1],
        "current_instance_type": instance_type,
        "current_group_name": INSTANCE_GROUP,
        "hosts": names,
        "instance_groups": [group],
        "network_interface_name": NETWORK_INTERFACE,
    }


def input_data_config(channels: Sequence[Mapping[str, Any]], default_mode: str = "File") -> dict[str, dict[str, str]]:
    """Return `inputdataconfig.json` for the InputDataConfig of a CreateTrainingJob request."""
    return {channel["ChannelName"]: _channel(channel, default_mode) for channel in channels}


def processing_resource_config(instance_count: int = 1, current: int = 1) -> dict[str, Any]:
    """Return `resourceconfig.json` of a processing container."""
    names = hosts(instance_count)
    return {"current_host": names[current - 1], "hosts": names}


def processing_job_config(request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return `processingjobconfig.json`: the request as CreateProcessingJob had it, with the job's ARN."""
    keys = (
        "ProcessingJobName",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "StoppingCondition",
        "AppSpecification",
        "Environment",
        "NetworkConfig",
        "RoleArn",
    )
    return {"ProcessingJobArn": arn, **{key: request[key] for key in keys if key in request}}


def _channel(channel: Mapping[str, Any], default_mode: str) -> dict[str, str]:
    source = channel.get("DataSource", {}).get("S3DataSource", {})
    described = {
        "TrainingInputMode": channel.get("InputMode", default_mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        described["ContentType"] = channel["ContentType"]
    return described
