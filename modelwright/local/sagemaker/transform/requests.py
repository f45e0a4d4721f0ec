"""What a CreateTransformJob request must be beyond its shape, and what is not done here, named.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.config.local_storage import has_local_storage
from modelwright.local.sagemaker.transform.paths import PathError, parse
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAYLOAD_MB = 6
"""MaxPayloadInMB when none is given"""
MOST_MB = 100
"""of one payload, and of all that are under way on one instance"""
MOST_INSTANCES = 100
_DOES = {
    "TransformJobName", "ModelName", "MaxConcurrentTransforms", "ModelClientConfig", "MaxPayloadInMB", "BatchStrategy",
    "Environment", "TransformInput", "TransformOutput", "TransformResources", "DataProcessing", "Tags",
}  # fmt: skip
_JOINABLE = ("text/csv", "application/json", "application/jsonlines")


def check(params: Mapping[str, Any]) -> None:
    """Raise AwsError ValidationException with everything that is wrong in a request of the right shape."""
    found = list(_problems(params))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise AwsError("ValidationException", count + "; ".join(found))


def media_type(text: str) -> str:
    """Return a content type without its parameters."""
    return text.partition(";")[0].strip().lower()


def _problems(params: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(set(params) - _DOES):
        yield f"{key}: the local cloud does not support this yet; leave it out"
    yield from _input(params["TransformInput"], params)
    yield from _size(params)
    yield from _cluster(params["TransformResources"])
    yield from _processing(params)
    path = params["TransformOutput"]["S3OutputPath"]
    if not path.startswith("s3://"):
        yield f"TransformOutput.S3OutputPath is {path!r}; it must be s3://bucket/prefix"


def _input(source: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[str]:
    s3 = source["DataSource"]["S3DataSource"]
    kind = s3["S3DataType"]
    if kind not in {"S3Prefix", "ManifestFile"}:
        yield f"TransformInput.DataSource.S3DataSource.S3DataType is {kind!r}; it must be 'S3Prefix' or 'ManifestFile'"
    if not s3["S3Uri"].startswith("s3://"):
        yield f"TransformInput.DataSource.S3DataSource.S3Uri is {s3['S3Uri']!r}; it must be s3://bucket/prefix"
    split = source.get("SplitType", "None")
    if split not in {"None", "Line"}:
        yield f"TransformInput.SplitType is {split!r}: the local cloud has 'None' and 'Line'"
    if params.get("BatchStrategy") == "MultiRecord" and split == "None":
        yield "BatchStrategy is 'MultiRecord', but TransformInput.SplitType is 'None'; it must be 'Line'"


def _size(params: Mapping[str, Any]) -> Iterator[str]:
    payload, at_once = params.get("MaxPayloadInMB", PAYLOAD_MB), params.get("MaxConcurrentTransforms", 1)
    if payload == 0:
        yield "MaxPayloadInMB is 0: the local cloud does not send chunks; give 1 to 100"
    if payload > MOST_MB:
        yield f"MaxPayloadInMB is {payload}; it must be at most {MOST_MB}"
    elif payload * at_once > MOST_MB:
        yield f"MaxConcurrentTransforms * MaxPayloadInMB is {payload * at_once}; it must be at most {MOST_MB}"


def _cluster(cluster: Mapping[str, Any]) -> Iterator[str]:
    machine = cluster["InstanceType"]
    if cluster["InstanceCount"] > MOST_INSTANCES:
        yield f"TransformResources.InstanceCount is {cluster['InstanceCount']}; it must be at most {MOST_INSTANCES}"
    if "VolumeKmsKeyId" in cluster and has_local_storage(machine):
        yield f"TransformResources.VolumeKmsKeyId cannot be given for {machine}: its storage is encrypted by hardware"
    if "TransformAmiVersion" in cluster:
        yield "TransformResources.TransformAmiVersion: the local cloud has no machine images; leave it out"


def _processing(params: Mapping[str, Any]) -> Iterator[str]:
    given = params.get("DataProcessing", {})
    for key in ("InputFilter", "OutputFilter"):
        try:
            parse(given.get(key, "$"))
        except PathError as error:
            yield f"DataProcessing.{key}: {error}"
    if not _processes(given):
        return
    source, target = params["TransformInput"], params["TransformOutput"]
    sent, kept = media_type(source.get("ContentType", "")), media_type(target.get("Accept", ""))
    if sent not in _JOINABLE:
        yield f"TransformInput.ContentType is {sent!r}; with DataProcessing it must be {' or '.join(_JOINABLE)}"
    elif given.get("JoinSource") == "Input" and kept and kept != sent:
        yield f"TransformOutput.Accept is {kept!r}, but ContentType {sent!r}: what is joined must be of one type"
    if source.get("SplitType", "None") != target.get("AssembleWith", "None"):
        yield "TransformInput.SplitType and TransformOutput.AssembleWith must be the same with DataProcessing"
    if sent != "text/csv" and source.get("SplitType") == "Line" and params.get("BatchStrategy") != "SingleRecord":
        yield "BatchStrategy must be 'SingleRecord': the local cloud joins JSON record by record"


def _processes(given: Mapping[str, Any]) -> bool:
    return (
        given.get("JoinSource") == "Input"
        or given.get("InputFilter", "$") != "$"
        or given.get("OutputFilter", "$") != "$"
    )
