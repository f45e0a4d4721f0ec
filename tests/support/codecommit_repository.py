"""A git repository, and CodeCommit's client over it: the local cloud's own service, or a fake with faults."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.codecommit.service import CodeCommit
from modelwright.local.service import AwsError, Call, Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parents[2]
OWNER = Caller("owner", "arn:aws:iam::123456789012:root")
_IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false")


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git; what it printed."""
    done = subprocess.run(["git", *_IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, input=stdin)
    return done.stdout.decode().strip()


def make_repository(folder: Path) -> Path:
    """An empty repository on `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return folder


def commit(folder: Path, message: str = "more") -> str:
    """Commit everything; the commit's id."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def write(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write files; a text is where a link points to."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.symlink_to(content)


def penguins(folder: Path) -> Path:
    """The real pipeline's folder in a repository; its path."""
    target = folder / "training_code" / "penguins"
    shutil.copytree(PROJECT / "training_code" / "penguins", target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@dataclass
class SettingOfCodeCommit:
    """What the service needs of a cloud."""

    directory: Path
    account: str = "123456789012"
    region: str = "eu-central-1"
    services: Any = None


def service(root: Path) -> CodeCommit:
    """The local cloud's CodeCommit over the repository that `root` is in."""
    return CodeCommit(SettingOfCodeCommit(root / ".modelwright"))  # type: ignore[arg-type] # all that it needs


class Client:
    """boto3's client of it: the same errors, and `broken` answers an operation with an error."""

    def __init__(self, root: Path, broken: Mapping[str, str] | None = None) -> None:
        self._service = service(root)
        self._broken = broken or {}
        self.asked: list[str] = []

    def get_folder(self, **params: Any) -> dict[str, Any]:
        return self._answer("GetFolder", params)

    def get_file(self, **params: Any) -> dict[str, Any]:
        return self._answer("GetFile", params)

    def _answer(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(operation)
        if operation in self._broken:
            raise ClientError({"Error": {"Code": self._broken[operation], "Message": "it broke"}}, operation)
        try:
            return self._service.handle(Call("codecommit", operation, params, OWNER, "eu-central-1"))
        except AwsError as error:
            raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, operation) from None
