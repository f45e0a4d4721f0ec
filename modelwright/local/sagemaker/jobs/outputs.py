"""Takes what a job made to S3, under the permissions of the job's role."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.local.s3 import About
from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.jobs.requests import split_s3
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.local.cloud import Cloud
    from modelwright.local.s3 import Digests

_COMPRESSION = 1  # these archives stay on this disk


class Outputs:
    """S3 as one job's role may write it; `key_arn` encrypts what is written, the bucket's own key where it is None."""

    def __init__(self, cloud: Cloud, role_arn: str, key_arn: str | None) -> None:
        self._cloud = cloud
        self._role = role_arn
        self._key = key_arn
        self._extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn} if key_arn else {}

    def archive(self, folder: Path, uri: str, work: Path) -> bool:
        """Write all that lies in `folder` as a tar.gz, members at the root, to `uri`; False when it is empty."""
        if not any(folder.iterdir()):
            return False
        archive = work / "output.tar.gz"
        write_archive(folder, archive)
        self._upload(archive, uri)
        return True

    def files(self, folder: Path, uri: str) -> int:
        """Write each file below `folder` to `uri`, which is taken as a folder; links are left out, as on AWS."""
        count = 0
        for file in list(_plain_files(folder)):
            self._upload(file, f"{uri.rstrip('/')}/{file.relative_to(folder).as_posix()}")
            count += 1
        return count

    def file(self, file: Path, uri: str, digests: Digests | None = None) -> None:
        """Write one file to `uri`; `digests`, where it is known already what its bytes hash to."""
        self._upload(file, uri, digests)

    def _upload(self, file: Path, uri: str, digests: Digests | None = None) -> None:
        """Make an object of the file, which is moved away: the job is over."""
        bucket, key = split_s3(uri)
        try:
            self._cloud.iam.check_as(self._role, "s3", "PutObject", {"Bucket": bucket, "Key": key, **self._extra})
            self._cloud.s3.store(bucket, key, file, about=About(digests, self._key))
        except AwsError as error:
            raise ClientProblem(f"Unable to upload to {uri}: {error.message}") from error


def write_archive(folder: Path, archive: Path) -> None:
    """Write a tar.gz whose bytes depend on the files' names and contents alone: no times, no owners, a fixed order."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=_COMPRESSION) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return None  # a socket or a pipe holds nothing
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _plain_files(folder: Path) -> Iterator[Path]:
    for here, directories, names in os.walk(folder):
        directories.sort()
        for name in sorted(names):
            file = Path(here, name)
            if file.is_file() and not file.is_symlink():
                yield file
