"""What lies in S3: the buckets, the objects below an address, and fetching them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from modelwright.errors import DataNotFound, NameTaken, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from modelwright.client.session import Session


@dataclass(frozen=True)
class Address:
    """`s3://bucket/key`; the key may be empty, or the beginning of keys."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """As it is written."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Entry:
    """An object, or with `size` None a folder: what keys have in common up to the next `/`."""

    address: Address
    size: int | None = None
    modified: datetime | None = None


def parse(text: str) -> Address:
    """Return the address; WrongUsage where it is none."""
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not text.startswith("s3://") or not bucket:
        raise WrongUsage(f"{text} is no address in S3.", "It looks like s3://bucket/key; `modelwright s3 ls` lists.")
    return Address(bucket, key)


def buckets(session: Session) -> list[Entry]:
    """Return all buckets."""
    found = session.client("s3").list_buckets()["Buckets"]
    return [Entry(Address(each["Name"], ""), None, each["CreationDate"]) for each in found]


def entries(session: Session, below: Address, *, recursive: bool = False) -> Iterator[Entry]:
    """Yield what begins with the address: folders and objects, or with `recursive` every object.

    Raises:
        DataNotFound: there is no such bucket.
    """
    client = session.client("s3")
    delimiter = {} if recursive else {"Delimiter": "/"}
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=below.bucket, Prefix=below.key, **delimiter)
    try:
        for page in pages:
            for folder in page.get("CommonPrefixes", []):
                yield Entry(Address(below.bucket, folder["Prefix"]))
            for each in page.get("Contents", []):
                yield Entry(Address(below.bucket, each["Key"]), each["Size"], each["LastModified"])
    except client.exceptions.NoSuchBucket:
        raise DataNotFound(f"There is no bucket {below.bucket}.", "`modelwright s3 ls` lists them.") from None


def body(session: Session, address: Address) -> Any:
    """Return an object's bytes as a stream; DataNotFound when there is none."""
    client = session.client("s3")
    try:
        return client.get_object(Bucket=address.bucket, Key=address.key)["Body"]
    except (client.exceptions.NoSuchKey, client.exceptions.NoSuchBucket):
        hint = f"`modelwright s3 ls {Address(address.bucket, '')}` lists what lies there."
        raise DataNotFound(f"There is no object {address}.", hint) from None


def fetch(session: Session, source: Address, target: Path) -> list[Path]:
    """Copy an object to a file, or all that lies below a folder (`…/`) into one; return the files that were written.

    A file is written whole or not at all. DataNotFound: nothing is there; WrongUsage: a key leads out of the folder.
    """
    if source.key and not source.key.endswith("/"):
        into = target / PurePosixPath(source.key).name if target.is_dir() else target
        return [_write(body(session, source), into)]
    keys = [entry.address for entry in entries(session, source, recursive=True)]
    plan = {each: _inside(target, each.key.removeprefix(source.key)) for each in keys if not each.key.endswith("/")}
    if not plan:
        raise DataNotFound(f"Nothing lies below {source}.", "`modelwright s3 ls` lists what does.")
    return [_write(body(session, each), path) for each, path in plan.items()]


def _inside(folder: Path, key: str) -> Path:
    """A key may hold what a file system takes for a way out."""
    parts = PurePosixPath(key).parts
    if key.startswith("/") or ".." in parts or not parts:
        raise WrongUsage(f"The key …{key} leads out of {folder}.", "Copy that object alone, to a file.")
    return folder.joinpath(*parts)


def _write(stream: Any, path: Path) -> Path:
    if path.is_dir():
        raise NameTaken(f"{path} is a folder; a file was to be written.", "Name another target.")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(stream, file)
        Path(beside).chmod(0o644)  # mkstemp's is its owner's alone
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return path
