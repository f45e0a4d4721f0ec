"""A folder of a CodeCommit repository as files here: what `git` writes of the same commit, byte for byte.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFolder.html
https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFile.html
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.errors import BundleError, CommitNotFound
from shared.clients import error_code

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FILES = 10_000
MAX_BYTES = 1024**3
_AT_ONCE = 8
_LARGEST = "6 MB"  # "when using the CodeCommit console, APIs, or the AWS CLI":
# https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
_GONE = {
    "CommitDoesNotExistException": "The repository has no such commit: the branch was moved by force or deleted since.",
    "FolderDoesNotExistException": "The commit has no folder {path} (the project must be the repository's root).",
    "RepositoryDoesNotExistException": "There is no repository {repository}.",
}


@dataclass(frozen=True)
class Place:
    """A folder at a commit."""

    repository: str
    commit: str
    path: str
    """From the repository's root, with forward slashes."""


@dataclass
class _Listing:
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)


def read_folder(codecommit: Any, place: Place, destination: Path) -> None:
    """Write the folder's files into `destination`, links as links.

    Raises `CommitNotFound` for what is not there, and `BundleError` for what cannot be read: a file that is too large
    for the API, a submodule. Both name the commit and the path; trying again would change nothing.
    """
    listing = _list(codecommit, place)
    if listing.modules:
        found = ", ".join(sorted(listing.modules))
        raise BundleError(
            f"{place.commit[:12]}:{found} is a git submodule, which a bundle cannot hold; copy its files."
        )
    if len(listing.files) > MAX_FILES:
        hint = "Put data into S3 and name it in `data.source`: s3://bucket/prefix/."
        raise BundleError(f"{_shown(place)} has {len(listing.files)} files; at most {MAX_FILES} can be read.", hint)

    def write(path: str) -> int:
        content = _content(codecommit, place, path)
        _target(place, path, destination).write_bytes(content)
        return len(content)

    def link(path: str) -> int:
        content = _content(codecommit, place, path)
        _target(place, path, destination).symlink_to(content.decode("utf-8", "surrogateescape"))
        return len(content)

    _for_each(place, write, listing.files)
    _for_each(place, link, listing.links)  # last: nothing is written through a link


def _for_each(place: Place, fetch: Callable[[str], int], paths: list[str]) -> None:
    """Fetch several at a time, as many bytes as there may be; after a failure no more are begun."""
    threads, written = ThreadPoolExecutor(_AT_ONCE), 0
    try:
        for size in threads.map(fetch, sorted(paths)):
            written += size
            _check_total(place, written)
    finally:
        threads.shutdown(cancel_futures=True)


def _list(codecommit: Any, place: Place) -> _Listing:
    """Look into the folder and all that are in it; one answer lists one folder, whole."""
    found, folders = _Listing(), [place.path]
    while folders:
        path = folders.pop()
        answer = _asked(place, path, codecommit.get_folder, folderPath=path)
        folders += [entry["absolutePath"].strip("/") for entry in answer.get("subFolders", ())]
        found.files += [entry["absolutePath"].strip("/") for entry in answer.get("files", ())]
        found.links += [entry["absolutePath"].strip("/") for entry in answer.get("symbolicLinks", ())]
        found.modules += [entry["absolutePath"].strip("/") for entry in answer.get("subModules", ())]
    return found


def _content(codecommit: Any, place: Place, path: str) -> bytes:
    content: bytes = _asked(place, path, codecommit.get_file, filePath=path)["fileContent"]
    return content


def _asked(place: Place, path: str, call: Callable[..., dict[str, Any]], **about: str) -> dict[str, Any]:
    """Ask for one folder or file of the commit; an error that no retry helps against becomes a person's."""
    try:
        return call(repositoryName=place.repository, commitSpecifier=place.commit, **about)
    except ClientError as error:
        code = error_code(error)
        if code == "FileTooLargeException":
            what = f"{place.commit[:12]}:{path} is larger than {_LARGEST}, the most that CodeCommit's API reads."
            hint = "Put data into S3 and name it in `data.source`: s3://bucket/prefix/."
            raise BundleError(what, hint) from error
        if code in _GONE:
            why = _GONE[code].format(path=path, repository=place.repository)
            raise CommitNotFound(f"Commit {place.commit[:12]} cannot be read: {why}") from error
        raise


def _target(place: Place, path: str, destination: Path) -> Path:
    inside = PurePosixPath(path).relative_to(place.path)
    if ".." in inside.parts:
        raise BundleError(f"{place.commit[:12]}:{path} is no path inside the folder.")
    target = destination / inside
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _check_total(place: Place, written: int) -> None:
    if written > MAX_BYTES:
        hint = "Put data into S3 and name it in `data.source`: s3://bucket/prefix/."
        raise BundleError(f"{_shown(place)} has more than {MAX_BYTES // 2**20} MiB; that is the most.", hint)


def _shown(place: Place) -> str:
    return f"{place.commit[:12]}:{place.path}"
