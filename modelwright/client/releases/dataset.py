"""Data on this machine that a run is to use: named by its content, uploaded once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.client.releases.uploads import S3, Upload, put_missing
from modelwright.errors import DataNotFound

if TYPE_CHECKING:
    from pathlib import Path

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html: one PutObject takes 5 GB
MAX_FILE_BYTES = 5 * 10**9
MAX_FILES = 10_000
_IN_MEMORY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Dataset:
    """A file or a folder of data, as it will be in the artifact bucket."""

    uri: str
    """The object, or the prefix (with a slash at its end) of the folder's objects."""
    sha256: str
    """Of the file; of a folder's paths and hashes for a folder."""
    uploads: tuple[Upload, ...]
    prefix: str
    """What the keys of all uploads begin with."""


def read_dataset(source: Path, pipeline: str, bucket: str) -> Dataset:
    """Return the dataset that a file or folder is: the same for the same content, whatever its times.

    Hidden files are left out. Raises `DataNotFound` when there is nothing, or more than can be uploaded.
    """
    if source.is_dir():
        return _folder(source, pipeline, bucket)
    if not source.is_file():
        raise DataNotFound(f"There is no data at {source}.")
    body, digest = _content(source)
    prefix = f"datasets/{pipeline}/{digest}/"
    upload = Upload(bucket, prefix + source.name, body)
    return Dataset(f"s3://{bucket}/{upload.key}", digest, (upload,), prefix)


def publish_dataset(s3: S3, dataset: Dataset) -> int:
    """Upload what of the dataset is not in the bucket yet, and return how many files that were."""
    return put_missing(s3, dataset.uploads, dataset.prefix if len(dataset.uploads) > 1 else "")


def _folder(source: Path, pipeline: str, bucket: str) -> Dataset:
    root = source.resolve()
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    names = {path.relative_to(source).as_posix(): path for path in paths}
    names = {name: path for name, path in names.items() if not any(part.startswith(".") for part in name.split("/"))}
    if not names:
        raise DataNotFound(f"The folder {source} holds no data file.")
    if len(names) > MAX_FILES:
        raise DataNotFound(
            f"{source} has {len(names)} files, more than {MAX_FILES}.", "Put them into S3: s3://bucket/prefix/."
        )
    outside = [name for name, path in names.items() if not path.resolve().is_relative_to(root)]
    if outside:
        raise DataNotFound(f"{source / outside[0]} is a link to outside its folder; copy the file there.")
    hashes = {name: _content(path)[1] for name, path in names.items()}
    digest = hashlib.sha256("".join(f"{hashes[name]}  {name}\n" for name in sorted(names)).encode()).hexdigest()
    prefix = f"datasets/{pipeline}/{digest}/"
    uploads = tuple(Upload(bucket, prefix + name, path) for name, path in sorted(names.items()))
    return Dataset(f"s3://{bucket}/{prefix}", digest, uploads, prefix)


def _content(path: Path) -> tuple[bytes | Path, str]:
    """Return what is to be uploaded, and its SHA-256.

    A small file is read once: a program that writes to it meanwhile cannot make content and name differ.
    """
    size = path.stat().st_size
    if not size:
        raise DataNotFound(f"The data file {path} is empty.")
    if size > MAX_FILE_BYTES:
        raise DataNotFound(
            f"{path} has {size / 1e9:.1f} GB; one upload takes at most 5 GB.",
            "Put it into S3 and name it s3://bucket/key.",
        )
    if size <= _IN_MEMORY_BYTES:
        body = path.read_bytes()
        return body, hashlib.sha256(body).hexdigest()
    with path.open("rb") as stream:
        return path, hashlib.file_digest(stream, "sha256").hexdigest()
