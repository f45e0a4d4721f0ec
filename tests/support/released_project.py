"""A project with one pipeline, in a repository or not, and what becomes of it as a release."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.client.releases.release import (
    Destination,
    Release,
    release_of_commit,
    release_of_folder,
)
from modelwright.config import Project, load_project
from modelwright.config.read_environment import read_environment

if TYPE_CHECKING:
    from pathlib import Path

DESTINATION = Destination("eu-central-1", "artifacts")


class FakeS3:
    """Objects in a dict, and what was asked for."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.calls: list[str] = []
        self.refuse = ""

    def put_object(self, *, Bucket: str, Key: str, Body: Any, ContentType: str) -> dict[str, Any]:  # noqa: N803
        if self.refuse and self.refuse in Key:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
        self.calls.append(f"put {Key}")
        self.objects[(Bucket, Key)] = Body if isinstance(Body, bytes) else Body.read()
        return {}

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        """Two keys a page."""
        self.calls.append(f"list {request['Prefix']}")
        keys = sorted(key for bucket, key in self.objects if bucket == request["Bucket"])
        keys = [key for key in keys if key.startswith(request["Prefix"]) and key > request.get("ContinuationToken", "")]
        more = {"IsTruncated": True, "NextContinuationToken": keys[1]} if len(keys) > 2 else {}
        return {"Contents": [{"Key": key} for key in keys[:2]], **more}


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "x")
    return git(root, "rev-parse", "HEAD")


def things(root: Path) -> Path:
    return root / "training_code" / "things"


def load(root: Path) -> Project:
    return load_project(root)


def of_folder(root: Path) -> Release:
    return release_of_folder(load(root).pipeline("things"), DESTINATION)


def of_commit(root: Path, name: str) -> Release:
    return release_of_commit(root, "things", name, load_environment(root), DESTINATION)


def load_environment(root: Path) -> Any:
    """The environment alone: the working tree's pipelines may be broken."""
    return read_environment(root / "environments" / "dev.yaml", "dev", [])
