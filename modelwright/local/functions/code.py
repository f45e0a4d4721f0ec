"""A function's code as a folder: an asset's folder as it lies, or a zip unpacked once for each content."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

from modelwright.local.functions.refusals import invalid
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud

MOST_UNPACKED_BYTES = 250 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def folder_of(cloud: Cloud, source: Path) -> Path:
    """Return the folder of a source that lies on this machine: itself, or what a zip file holds."""
    if source.is_dir():
        return source.resolve()
    return _unpacked(cloud, source.read_bytes(), str(source))


def from_request(cloud: Cloud, code: Mapping[str, Any]) -> Path:
    """Return the folder of what CreateFunction or UpdateFunctionCode names: ZipFile, or S3Bucket and S3Key."""
    if "ZipFile" in code:
        return _unpacked(cloud, code["ZipFile"], "ZipFile")
    if "S3Bucket" in code and "S3Key" in code:
        name = f"s3://{code['S3Bucket']}/{code['S3Key']}"
        try:
            path = cloud.s3.resolve(code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"))
        except AwsError as error:
            raise invalid(f"Error occurred while GetObject. S3 Error Code: {error.code}. {error.message}") from error
        return _unpacked(cloud, path.read_bytes(), name)
    raise invalid("Please provide a source for function code: ZipFile, or S3Bucket and S3Key (no images here)")


def _unpacked(cloud: Cloud, content: bytes, name: str) -> Path:
    target = cloud.directory / "functions" / "code" / hashlib.sha256(content).hexdigest()[:32]
    if target.is_dir():
        return target
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(item.file_size for item in archive.infolist())
            if size > MOST_UNPACKED_BYTES:
                raise invalid(f"Unzipped size must be smaller than {MOST_UNPACKED_BYTES} bytes; {name} has {size}")
            archive.extractall(unfinished)  # the module itself keeps members inside the folder
    except (zipfile.BadZipFile, OSError) as error:
        raise invalid(f"Could not unzip uploaded file {name}: {error}") from error
    unfinished.rename(target)
    return target
