"""The objects that a batch transform job reads, found and opened with the model's role, and where each output goes."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.jobs.requests import split_s3
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud


@dataclass(frozen=True)
class Source:
    """One object; `name` is what its output is called after."""

    bucket: str
    key: str
    name: str

    @property
    def address(self) -> str:
        """How the job's data log calls it."""
        return f"{self.bucket}/{self.key}"


class Sources:
    """S3 as the model's role sees it."""

    def __init__(self, cloud: Cloud, role_arn: str, transform_input: Mapping[str, Any]) -> None:
        """Nothing is looked at yet."""
        self._cloud = cloud
        self._role = role_arn
        self._s3: Mapping[str, str] = transform_input["DataSource"]["S3DataSource"]
        self._packed = transform_input.get("CompressionType", "None") == "Gzip"

    def find(self) -> list[Source]:
        """Return what the prefix or the manifest names; ClientProblem when that is nothing, or may not be read."""
        found = list(self._listed() if self._s3["S3DataType"] == "ManifestFile" else self._by_prefix())
        if not found:
            raise ClientProblem(self._nothing(self._s3["S3Uri"]))
        return found

    def open(self, source: Source) -> BinaryIO:
        """Open an object for reading; ClientProblem when it is not there, or not the role's to read."""
        path = self._path(source.bucket, source.key)
        return cast("BinaryIO", gzip.open(path)) if self._packed else path.open("rb")

    def _by_prefix(self) -> Iterator[Source]:
        """A folder's objects are named below it, any other prefix's below the folder that it lies in.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html (S3OutputPath)
        """
        uri = self._s3["S3Uri"]
        bucket, prefix = split_s3(uri)
        folder = prefix[: prefix.rfind("/") + 1]
        try:
            self._cloud.iam.check_as(self._role, "s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": prefix})
            found = self._cloud.s3.list(bucket, prefix)
        except AwsError as error:
            raise ClientProblem(f"{self._nothing(uri)} Error message from S3: {error.message}") from error
        for item in found:
            if not item.key.endswith("/"):
                yield Source(bucket, item.key, item.key.removeprefix(folder))

    def _listed(self) -> Iterator[Source]:
        """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformS3DataSource.html."""
        uri = self._s3["S3Uri"]
        document = self._manifest(uri)
        bucket, prefix = split_s3(document[0]["prefix"])
        for name in document[1:]:
            yield Source(bucket, prefix + name, name)

    def _manifest(self, uri: str) -> list[Any]:
        try:
            document = json.loads(self._path(*split_s3(uri)).read_bytes())
        except ValueError as error:
            raise ClientProblem(f"The manifest {uri} is not JSON: {error}") from None
        begins = isinstance(document, list) and document and isinstance(document[0], dict)
        if not begins or set(document[0]) != {"prefix"} or not all(isinstance(name, str) for name in document[1:]):
            raise ClientProblem(f'The manifest {uri} must be [{{"prefix": "s3://bucket/prefix/"}}, "name", …]')
        return cast("list[Any]", document)

    def _path(self, bucket: str, key: str) -> Path:
        try:
            self._cloud.iam.check_as(self._role, "s3", "GetObject", {"Bucket": bucket, "Key": key})
            return self._cloud.s3.resolve(bucket, key)
        except AwsError as error:
            raise ClientProblem(f"Data download failed: s3://{bucket}/{key}: {error.message}") from error

    def _nothing(self, uri: str) -> str:
        return (
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({self._cloud.region}), that objects exist under that S3 prefix, and that "
            f'the role "{self._role}" has "s3:ListBucket" permissions on bucket "{split_s3(uri)[0]}".'
        )
