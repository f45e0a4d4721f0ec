"""CreateModel and its neighbours.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.jobs.permissions import check_trust, hosting_source
from modelwright.local.sagemaker.listing import page
from modelwright.local.sagemaker.resources import Resources
from modelwright.local.sagemaker.unsupported import refuse_members
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.registry.packages import Packages
    from modelwright.local.service import Call

NOT_YET = {
    "Containers": "give one PrimaryContainer",
    "InferenceExecutionConfig": "give one PrimaryContainer",
    "PrimaryContainer.AdditionalModelDataSources": "put everything into the one model archive",
    "PrimaryContainer.InferenceSpecificationName": "the package's main InferenceSpecification is taken",
}


class Models:
    """Models: an image, a model archive, an environment and the role that fetches them."""

    operations = frozenset({"CreateModel", "DescribeModel", "ListModels", "DeleteModel"})

    def __init__(self, cloud: Cloud, packages: Packages) -> None:
        """Keep models in the cloud's database; `packages` resolves a container's ModelPackageName."""
        self._cloud = cloud
        self._packages = packages
        self._kept = Resources(cloud, "model", "model", "model")

    def start(self) -> None:
        """The database is the state."""

    def stop(self) -> None:
        """Nothing runs here."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        return {
            "CreateModel": self._create,
            "DescribeModel": lambda params: self._kept.get(params["ModelName"]),
            "ListModels": self._list,
            "DeleteModel": self._delete,
        }[call.operation](call.params)

    def get(self, name: str) -> dict[str, Any]:
        """Return a model as DescribeModel does; AwsError when there is none."""
        return self._kept.get(name)

    def container(self, name: str) -> dict[str, Any]:
        """Return the model's container with Image and ModelDataUrl, those of its model package filled in."""
        container = dict(self._kept.get(name)["PrimaryContainer"])
        if "ModelPackageName" in container:
            specified = self._packages.container(container["ModelPackageName"])
            environment = {**specified.get("Environment", {}), **container.get("Environment", {})}
            container = {**specified, **container, "Environment": environment}
        return container

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        refuse_members("CreateModel", params, NOT_YET)
        name, arn = params["ModelName"], self._kept.arn(params["ModelName"])
        for member in ("PrimaryContainer", "ExecutionRoleArn"):
            if member not in params:
                raise AwsError("ValidationException", f"CreateModel needs {member}.")
        check_trust(self._cloud, params["ExecutionRoleArn"], hosting_source(self._cloud))
        self._check_container(params["PrimaryContainer"], params["ExecutionRoleArn"])
        body = {key: value for key, value in params.items() if key != "Tags"}
        body = {"EnableNetworkIsolation": False, **body, "ModelArn": arn, "CreationTime": self._cloud.clock.now()}
        self._kept.create(name, body, params.get("Tags", []))
        return {"ModelArn": arn}

    def _check_container(self, container: dict[str, Any], role: str) -> None:
        if ("Image" in container) == ("ModelPackageName" in container):
            raise AwsError("ValidationException", "A container needs exactly one of Image and ModelPackageName.")
        if "ModelPackageName" in container:
            container = {**self._packages.container(container["ModelPackageName"]), **container}
        if container.get("Mode") == "MultiModel":
            check_prefix(self._cloud, role, container)
            return
        if "MultiModelConfig" in container:
            raise AwsError("ValidationException", "MultiModelConfig is for a container of Mode MultiModel.")
        url = model_data_url(container)
        if url is not None:
            find_model_data(self._cloud, role, url)

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        found, more = page(self._kept.all(), params, "ModelName", "Descending")
        return {"Models": [{key: m[key] for key in ("ModelName", "ModelArn", "CreationTime")} for m in found], **more}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        self._kept.delete(params["ModelName"])
        return {}


def model_data_url(container: dict[str, Any]) -> str | None:
    """Return the S3 URL of a container's archive, None when it has none; AwsError for a source that is no archive."""
    source = container.get("ModelDataSource")
    if source is None:
        url: str | None = container.get("ModelDataUrl")
        return url
    s3 = source["S3DataSource"]
    if (s3.get("S3DataType"), s3.get("CompressionType")) != ("S3Object", "Gzip"):
        raise AwsError(
            "ValidationException",
            "The local cloud supports ModelDataSource with S3DataType S3Object and CompressionType Gzip only: "
            "one model.tar.gz.",
        )
    return str(s3["S3Uri"])


def check_prefix(cloud: Cloud, role: str, container: dict[str, Any]) -> None:
    """Raise AwsError unless the container names where several models lie, and the role may look there.

    They may be put there later: https://docs.aws.amazon.com/sagemaker/latest/dg/add-models-to-endpoint.html
    """
    url = container.get("ModelDataUrl")
    if url is None or "ModelDataSource" in container:
        message = "A container of Mode MultiModel needs ModelDataUrl, the prefix of its models, and no ModelDataSource."
        raise AwsError("ValidationException", message)
    if url.endswith(".tar.gz"):
        message = f"ModelDataUrl of a container of Mode MultiModel is the prefix of its models; found {url}."
        raise AwsError("ValidationException", message)
    bucket, key = split_s3_url(url)
    try:
        cloud.iam.check_as(role, "s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": key})
    except AwsError as error:
        raise AwsError("ValidationException", f"{no_access(url, role, cloud.region)} ({error.message})") from None


def split_s3_url(url: str) -> tuple[str, str]:
    """Return bucket and key; AwsError when the URL is not `s3://bucket/key`."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise AwsError("ValidationException", f"The model data must be at s3://bucket/key; found {url}.")
    return bucket, key


def find_model_data(cloud: Cloud, role: str, url: str) -> Path:
    """Return the archive as a file, looked for with the model's own role; AwsError in AWS's words."""
    bucket, key = split_s3_url(url)
    try:
        cloud.iam.check_as(role, "s3", "GetObject", {"Bucket": bucket, "Key": key})
        found = _resolve(cloud, bucket, key)
        if found is None:  # S3 does not even say so to who may not list the bucket
            cloud.iam.check_as(role, "s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": key})
    except AwsError as error:
        raise AwsError("ValidationException", f"{no_access(url, role, cloud.region)} ({error.message})") from None
    if found is None:
        raise AwsError("ValidationException", f"Could not find model data at {url}.")
    return found


def _resolve(cloud: Cloud, bucket: str, key: str) -> Path | None:
    try:
        return cloud.s3.resolve(bucket, key)
    except AwsError:
        return None


def no_access(url: str, role: str, region: str) -> str:
    """Return AWS's own sentence for a model archive that the role may not read."""
    return (
        f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its trust '
        'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". '
        f'Also ensure that the role has "s3:GetObject" permissions and that the object is located in {region}. If '
        "your Model uses multiple models or uncompressed models, please ensure that the role has "
        '"s3:ListBucket" permission.'
    )
