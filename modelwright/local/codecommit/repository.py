"""The git repository that a folder is in, read by the `git` command: commits, trees, blobs. Nothing is written."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Set when git itself called us (a hook): they would point at another repository than the folder's own.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Entry:
    """One line of a tree."""

    mode: str
    """git's: `100644`, `100755`, `120000` a link, `160000` a submodule, `040000` a folder."""
    object_id: str
    name: str


class NoRepository(Exception):  # noqa: N818 # not a user's mistake: the service turns it into an answer
    """The folder is in no git repository, or there is no git."""


class Repository:
    """The repository that `folder` is in; paths are from its root, wherever the folder lies in it."""

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet."""
        self._folder = folder

    def commit(self, specifier: str) -> str | None:
        """The full id of the commit that a full id, a branch, a tag, a reference or `HEAD` names; None without one."""
        if _ID.fullmatch(specifier) or specifier == "HEAD" or specifier.startswith("refs/"):
            return self._resolve(f"{specifier}^{{commit}}")
        names = (f"refs/heads/{specifier}", f"refs/tags/{specifier}")  # an id in short is none to CodeCommit
        return next((found for name in names if (found := self._resolve(f"{name}^{{commit}}"))), None)

    def branch(self, name: str) -> str | None:
        """The commit that a branch is at."""
        return self._resolve(f"refs/heads/{name}^{{commit}}")

    def default_branch(self) -> str | None:
        """The branch that is checked out."""
        found = self._git("symbolic-ref", "--quiet", "--short", "HEAD")
        return found.decode().strip() if found else None

    def tree(self, commit: str, path: str) -> str | None:
        """The id of a folder's tree at a commit; None when there is no such folder."""
        found = self._resolve(f"{commit}:{path}")  # from the repository's root, unlike `commit:./path`
        return found if found and self._git("cat-file", "-t", found) == b"tree\n" else None

    def entries(self, tree: str) -> list[Entry]:
        """What a tree holds."""
        listed = (self._git("ls-tree", "-z", "--full-tree", tree) or b"").decode("utf-8", "replace")
        found = []
        for line in filter(None, listed.split("\0")):
            about, name = line.split("\t", 1)
            mode, _, object_id = about.split(" ")
            found.append(Entry(mode, object_id, name))
        return found

    def blob(self, object_id: str) -> bytes | None:
        """A file's content; None when the repository has not got it."""
        return self._git("cat-file", "blob", object_id)

    def size(self, object_id: str) -> int:
        """A blob's bytes."""
        return int(self._git("cat-file", "-s", object_id) or 0)

    def show(self, commit: str, form: str) -> str:
        """What `git show --format` says of a commit."""
        return (self._git("show", "--no-patch", f"--format={form}", commit) or b"").decode("utf-8", "replace")

    def check(self) -> None:
        """Raise NoRepository when there is none."""
        if self._git("rev-parse", "--git-dir") is None:
            raise NoRepository

    def _resolve(self, name: str) -> str | None:
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return found.decode().strip() if found else None

    def _git(self, *arguments: str) -> bytes | None:
        """What git printed; None when it failed."""
        environment = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
        command = ["git", "--no-optional-locks", "-c", "core.quotepath=off", *arguments]
        try:
            done = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, check=False)
        except (FileNotFoundError, NotADirectoryError):
            raise NoRepository from None
        return done.stdout if done.returncode == 0 else None
