"""Brings a job's S3 inputs into its tree, under the permissions of the job's role.

Objects lie as files in the content-addressed store, so nothing goes through HTTP: a small file is copied, a large one
linked where the job cannot write through the link (the store's files are read-only; root may write to those).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.jobs.requests import split_s3
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

LINKED_FROM_BYTES = 1 << 20


class Inputs:
    """S3 as one job's role sees it."""

    def __init__(self, cloud: Cloud, role_arn: str) -> None:
        self._cloud = cloud
        self._role = role_arn

    def fetch(self, uri: str, target: Path) -> int:
        """Bring all objects whose key begins with the URI's into `target`; returns how many.

        ClientProblem in AWS's words when there is none, or the role may not list or read them.
        """
        bucket, prefix = split_s3(uri)
        target.mkdir(parents=True, exist_ok=True)
        count = 0
        for key in self._keys(uri, bucket, prefix):
            self.fetch_object(bucket, key, target / _relative(key, prefix))
            count += 1
        if not count:
            raise ClientProblem(self._nothing_found(uri, bucket))
        return count

    def fetch_object(self, bucket: str, key: str, target: Path) -> None:
        """Bring one object to `target`."""
        try:
            self._cloud.iam.check_as(self._role, "s3", "GetObject", {"Bucket": bucket, "Key": key})
            source = self._cloud.s3.resolve(bucket, key)
        except AwsError as error:
            raise ClientProblem(f"Data download failed: s3://{bucket}/{key}: {error.message}") from error
        target.parent.mkdir(parents=True, exist_ok=True)
        _place(source, target)

    def _keys(self, uri: str, bucket: str, prefix: str) -> list[str]:
        try:
            self._cloud.iam.check_as(self._role, "s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": prefix})
            found = self._cloud.s3.list(bucket, prefix)
        except AwsError as error:
            raise ClientProblem(f"{self._nothing_found(uri, bucket)} Error message from S3: {error.message}") from error
        return [item.key for item in found if not item.key.endswith("/")]

    def _nothing_found(self, uri: str, bucket: str) -> str:
        return (
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({self._cloud.region}), that objects exist under that S3 prefix, and that "
            f'the role "{self._role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


def _relative(key: str, prefix: str) -> str:
    """Return a key's name below its channel; the whole of the prefix falls away, a single object keeps its name."""
    name = key[len(prefix) :].lstrip("/") or PurePosixPath(key).name
    if ".." in name.split("/") or "\0" in name:
        raise ClientProblem(f"Data download failed: the key {key!r} is no path below a folder")
    return name


def _place(source: Path, target: Path) -> None:
    if source.stat().st_size >= LINKED_FROM_BYTES and os.geteuid() != 0:
        try:
            target.hardlink_to(source)
        except OSError:
            pass  # another disk: copied then
        else:
            return
    shutil.copyfile(source, target)
