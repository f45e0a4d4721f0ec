"""What a Create…Job request must be beyond its shape: rules between members, and what is not done here, named.

Shapes, patterns, lengths and enumerations are botocore's model's matter (`service.py` has them checked).

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.config.local_storage import has_local_storage
from modelwright.contract import hyperparameters
from modelwright.contract.layout import ProcessingLayout
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_S3_URI = re.compile(r"(https|s3)://([^/]+)/?(.*)")

_TRAINING_DOES = {
    "TrainingJobName", "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig",
    "StoppingCondition", "HyperParameters", "Environment", "Tags", "EnableNetworkIsolation", "VpcConfig",
    "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "ProfilerConfig",
}  # fmt: skip
_PROCESSING_DOES = {
    "ProcessingJobName", "AppSpecification", "RoleArn", "ProcessingInputs", "ProcessingOutputConfig",
    "ProcessingResources", "StoppingCondition", "Environment", "NetworkConfig", "Tags",
}  # fmt: skip
_CHANNEL_DOES = {
    "ChannelName", "DataSource", "ContentType", "CompressionType", "RecordWrapperType", "InputMode",
}  # fmt: skip
_LONGEST_RUN_SECONDS = 28 * 24 * 3600
_LONGEST_PROCESSING_SECONDS = 5 * 24 * 3600


def check(kind: str, params: Mapping[str, Any]) -> None:
    """Raise AwsError ValidationException with everything that is wrong in a Create<kind> request of the right shape."""
    found = list((_training_problems if kind == "TrainingJob" else _processing_problems)(params))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise AwsError("ValidationException", count + "; ".join(found))


def split_s3(uri: str) -> tuple[str, str]:
    """Return bucket and key of `s3://bucket/key`; the key may be empty. ValidationException for anything else."""
    found = _S3_URI.fullmatch(uri)
    if found is None or found[1] != "s3":
        raise AwsError("ValidationException", f"{uri!r} is not an S3 URI: s3://bucket/prefix")
    return found[2], found[3]


def _training_problems(params: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown("", params, _TRAINING_DOES)
    yield from _algorithm(params["AlgorithmSpecification"])
    yield from _hyperparameters(params.get("HyperParameters", {}))
    yield from _channels(params.get("InputDataConfig", []))
    yield from _uri("OutputDataConfig.S3OutputPath", params["OutputDataConfig"].get("S3OutputPath", ""))
    yield from _cluster("ResourceConfig", params.get("ResourceConfig", {}))
    yield from _run_time(params.get("StoppingCondition", {}), _LONGEST_RUN_SECONDS)
    if params.get("EnableManagedSpotTraining"):
        yield "EnableManagedSpotTraining: the local cloud does not do spot training yet; leave it out"
    if set(params.get("ProfilerConfig", {})) - {"DisableProfiler"}:
        yield "ProfilerConfig: the local cloud does not profile; only DisableProfiler is known"


def _processing_problems(params: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown("", params, _PROCESSING_DOES)
    application = params["AppSpecification"]
    if not application.get("ContainerEntrypoint"):
        yield "AppSpecification.ContainerEntrypoint is required: the local cloud runs no image's own entry point"
    yield from _processing_inputs(params.get("ProcessingInputs", []))
    yield from _processing_outputs(params.get("ProcessingOutputConfig", {}).get("Outputs", []))
    yield from _cluster("ProcessingResources.ClusterConfig", params["ProcessingResources"].get("ClusterConfig", {}))
    yield from _run_time(params.get("StoppingCondition", {}), _LONGEST_PROCESSING_SECONDS)


def _unknown(at: str, members: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for key in sorted(set(members) - known):
        yield f"{at}{key}: the local cloud does not support this yet; leave it out"


def _algorithm(specification: Mapping[str, Any]) -> Iterator[str]:
    if "TrainingImage" not in specification:
        yield "AlgorithmSpecification.TrainingImage is required: the local cloud has no algorithm resources"
    if {"ContainerEntrypoint", "ContainerArguments"} & set(specification):
        yield (
            "AlgorithmSpecification.ContainerEntrypoint: the local cloud runs script mode only (hyperparameters "
            "sagemaker_program and sagemaker_submit_directory), not the dialect of the SDK's ModelTrainer"
        )
    yield from _mode("AlgorithmSpecification.TrainingInputMode", specification.get("TrainingInputMode", "File"))
    yield from _metrics(specification.get("MetricDefinitions", []))
    known = {"TrainingImage", "TrainingInputMode", "ContainerEntrypoint", "ContainerArguments", "MetricDefinitions"}
    yield from _unknown("AlgorithmSpecification.", specification, known)


def _metrics(definitions: list[Mapping[str, str]]) -> Iterator[str]:
    for definition in definitions:
        try:
            groups = re.compile(definition["Regex"]).groups
        except re.error as error:
            yield f"MetricDefinitions.{definition['Name']}: {definition['Regex']!r} is no regular expression: {error}"
        else:
            if not groups:
                yield f"MetricDefinitions.{definition['Name']}: {definition['Regex']!r} has no group around the value"


def _hyperparameters(values: Mapping[str, str]) -> Iterator[str]:
    parsed = hyperparameters.read(values)
    for key in sorted(set(parsed) & hyperparameters.DISTRIBUTIONS):
        if parsed[key]:
            yield f"HyperParameters.{key}: the local cloud does not do distributed training yet"


def _channels(channels: list[Mapping[str, Any]]) -> Iterator[str]:
    names = [channel["ChannelName"] for channel in channels]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"InputDataConfig: the channel {name!r} is there twice"
    for channel in channels:
        name = channel["ChannelName"]
        at = f"InputDataConfig.{name}"
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            yield f"{at}.DataSource: the local cloud has S3DataSource only"
        else:
            yield from _source(at, source)
        yield from _mode(f"{at}.InputMode", channel.get("InputMode", "File"))
        for key, plain in (("CompressionType", "None"), ("RecordWrapperType", "None")):
            if channel.get(key, plain) != plain:
                yield f"{at}.{key} is {channel[key]!r}: with input mode File it must be {plain!r}"
        yield from _unknown(f"{at}.", channel, _CHANNEL_DOES)


def _source(at: str, source: Mapping[str, Any]) -> Iterator[str]:
    kind = source["S3DataType"]
    if kind != "S3Prefix":
        yield f"{at}.S3DataType is {kind!r}: the local cloud has 'S3Prefix' only"
    yield from _uri(f"{at}.S3Uri", source["S3Uri"])
    yield from _unknown(f"{at}.", source, {"S3DataType", "S3Uri", "S3DataDistributionType"})


def _mode(at: str, mode: str) -> Iterator[str]:
    if mode not in {"File", "FastFile"}:
        yield f"{at} is {mode!r}: the local cloud has 'File' and 'FastFile' (which it treats as File)"


def _uri(at: str, uri: str) -> Iterator[str]:
    found = _S3_URI.fullmatch(uri)
    if found is None or found[1] != "s3":
        yield f"{at} is {uri!r}; it must be s3://bucket/prefix"


def _cluster(at: str, cluster: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({"InstanceType", "InstanceCount"} - set(cluster)):
        yield f"{at}.{key} is required"
    if cluster.get("InstanceCount", 1) != 1:
        yield f"{at}.InstanceCount is {cluster['InstanceCount']}: the local cloud runs each job on 1 machine"
    machine = cluster.get("InstanceType")
    if machine and "VolumeKmsKeyId" in cluster and has_local_storage(machine):
        yield f"{at}.VolumeKmsKeyId cannot be given for {machine}: its storage is encrypted by hardware"
    yield from _unknown(f"{at}.", cluster, {"InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"})


def _run_time(condition: Mapping[str, Any], longest: int) -> Iterator[str]:
    yield from _unknown("StoppingCondition.", condition, {"MaxRuntimeInSeconds"})
    seconds = condition.get("MaxRuntimeInSeconds", 1)
    if not 1 <= seconds <= longest:
        yield f"StoppingCondition.MaxRuntimeInSeconds is {seconds}; it must be 1 to {longest}"


def _processing_inputs(inputs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield from _twice("ProcessingInputs", [given["InputName"] for given in inputs])
    for given in inputs:
        at = f"ProcessingInputs.{given['InputName']}"
        source = given.get("S3Input")
        if source is None:
            yield f"{at}: the local cloud has S3Input only"
            continue
        yield from _uri(f"{at}.S3Uri", source["S3Uri"])
        yield from _local_path(at, source.get("LocalPath", ""))
        for key, allowed in (("S3DataType", "S3Prefix"), ("S3InputMode", "File"), ("S3CompressionType", "None")):
            if source.get(key, allowed) != allowed:
                yield f"{at}.{key} is {source[key]!r}: the local cloud has {allowed!r} only"


def _processing_outputs(outputs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield from _twice("ProcessingOutputConfig.Outputs", [given["OutputName"] for given in outputs])
    for given in outputs:
        at = f"ProcessingOutputConfig.Outputs.{given['OutputName']}"
        target = given.get("S3Output")
        if target is None:
            yield f"{at}: the local cloud has S3Output only"
            continue
        yield from _uri(f"{at}.S3Uri", target["S3Uri"])
        yield from _local_path(at, target.get("LocalPath", ""))
        if target["S3UploadMode"] != "EndOfJob":
            yield f"{at}.S3UploadMode is {target['S3UploadMode']!r}: the local cloud has 'EndOfJob' only"


def _twice(at: str, names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{at}: the name {name!r} is there twice"


def _local_path(at: str, path: str) -> Iterator[str]:
    root = ProcessingLayout().processing
    if not f"{path}/".startswith(f"{root}/") or ".." in path.split("/"):
        yield f"{at}.LocalPath is {path!r}; it must begin with {root}/"
