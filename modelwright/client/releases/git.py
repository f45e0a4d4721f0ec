"""What git knows of a pipeline's folder: by the `git` command, never from a repository's own files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelwright.errors import BundleError, CommitNotFound, NotARepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Set when git itself called us (a hook): they would point at another repository than the folder's own.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
_SYMLINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class FolderState:
    """A folder in its repository."""

    commit: str | None
    """The commit that is checked out; None without a repository, or before its first commit."""
    clean: bool
    """Whether the folder holds exactly what `commit` does; ignored files do not count."""
    ignored: frozenset[str]
    """Files and folders that git ignores, relative to the folder, with forward slashes; folders end with one."""


def folder_state(folder: Path) -> FolderState:
    """Return what git says about `folder`; where there is no repository (or no git), that there is no commit."""
    command = [
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--untracked-files=all",
        "--ignored=traditional",
        "--",
        ".",
    ]
    found = _git(folder, command)
    if found is None or found.returncode:
        return FolderState(None, clean=False, ignored=frozenset())
    prefix = _prefix(folder)
    commit, changed, ignored = None, False, set()
    for line in found.stdout.decode("utf-8", "surrogateescape").split("\0"):
        if line.startswith("# branch.oid ") and not line.endswith("(initial)"):
            commit = line.removeprefix("# branch.oid ")
        elif line.startswith("! "):
            ignored.add(line.removeprefix("! ").removeprefix(prefix))
        elif line and not line.startswith("#"):
            changed = True
    return FolderState(commit, clean=commit is not None and not changed, ignored=frozenset(ignored))


def resolve_commit(root: Path, commit: str) -> str:
    """Return the full id of a commit that is named by an id, a branch, a tag or `HEAD`.

    Raises `CommitNotFound` when the repository of `root` has none of that name, `NotARepository` when there is none.
    """
    found = _git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"])
    if found is None or (found.returncode and (_git(root, ["rev-parse", "--git-dir"]) or found).returncode):
        raise NotARepository(
            f"{root} is not in a git repository (or git is not installed), so there is no commit {commit!r}.",
            "`modelwright release` and `modelwright run` take the folder as it is.",
        )
    if found.returncode:
        raise CommitNotFound(f"There is no commit {commit!r} in this repository.", "`git log` names those there are.")
    return found.stdout.decode().strip()


def toplevel(root: Path) -> tuple[Path, str]:
    """Return the top folder of the repository that `root` is in, and the path from there to `root`.

    The path is empty or ends with a slash. Without a repository (or git), `root` is its own top.
    """
    found = _git(root, ["rev-parse", "--show-toplevel"])
    if found is None or found.returncode:
        return root, ""
    return Path(os.fsdecode(found.stdout).removesuffix("\n")), _prefix(root)


def extract_folder(root: Path, commit: str, path: PurePosixPath, destination: Path) -> None:
    """Write the files that `path` (relative to `root`) has at a commit into `destination`, byte for byte.

    The working tree is not looked at. Raises `CommitNotFound` when the commit has no such folder.
    """
    entries = list(_tree(root, commit, path))
    if not entries:
        raise CommitNotFound(f"Commit {commit[:12]} has no folder {path}.", "It was added by a later commit, or moved.")
    for (mode, _, name), content in zip(entries, _blobs(root, [blob for _, blob, _ in entries]), strict=True):
        target = destination / PurePosixPath(name).relative_to(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == _SYMLINK:
            target.symlink_to(os.fsdecode(content))
        else:
            target.write_bytes(content)


def _tree(root: Path, commit: str, path: PurePosixPath) -> Iterator[tuple[str, str, str]]:
    """Yield mode, blob and name (relative to `root`) of every file below `path`."""
    found = _git(root, ["ls-tree", "-r", "-z", commit, "--", f"{path}/"])
    if found is None or found.returncode:
        raise CommitNotFound(f"git cannot list {path} at {commit}: {_message(found)}")
    for entry in found.stdout.decode("utf-8", "surrogateescape").split("\0"):
        if not entry:
            continue
        about, name = entry.split("\t", 1)
        mode, _, blob = about.split(" ")
        if mode == _SUBMODULE:
            raise BundleError(f"{name} is a git submodule, which a bundle cannot hold; copy its files.")
        yield mode, blob, name


def _blobs(root: Path, blobs: Sequence[str]) -> Iterator[bytes]:
    found = _git(root, ["cat-file", "--batch"], "".join(f"{blob}\n" for blob in blobs).encode())
    if found is None or found.returncode:
        raise CommitNotFound(f"git cannot read the commit's files: {_message(found)}")
    rest = memoryview(found.stdout)
    for blob in blobs:
        end = found.stdout.index(b"\n", len(found.stdout) - len(rest))
        head = bytes(rest[: end - (len(found.stdout) - len(rest))]).split(b" ")
        if len(head) != 3:
            raise CommitNotFound(
                f"The repository has not got the file {blob} (a shallow or partial clone).", "`git fetch --unshallow`"
            )
        start = end + 1 - (len(found.stdout) - len(rest))
        size = int(head[2])
        yield bytes(rest[start : start + size])
        rest = rest[start + size + 1 :]


def _prefix(folder: Path) -> str:
    """Return the folder's own path in its repository, with a slash at its end; empty for the repository's root."""
    found = _git(folder, ["rev-parse", "--show-prefix"])
    return os.fsdecode(found.stdout).removesuffix("\n") if found else ""


def _git(folder: Path, arguments: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes] | None:
    """Run git in `folder`; None when there is no git."""
    environment = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    command = ["git", "--no-optional-locks", "-c", "core.quotepath=off", *arguments]
    try:
        return subprocess.run(command, cwd=folder, env=environment, input=stdin, capture_output=True, check=False)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _message(found: subprocess.CompletedProcess[bytes] | None) -> str:
    return found.stderr.decode("utf-8", "replace").strip() if found else "git is not installed"
