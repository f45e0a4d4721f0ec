"""The service `codecommit`: the project's git repository, under whatever name it is asked for.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Operations.html
There is one repository here, so a name tells nothing; whether the true one exists is `modelwright doctor --aws`.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from modelwright.local.codecommit.repository import Entry, NoRepository, Repository
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

MAX_FILE_BYTES = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html: 6 MB by the API, of an individual file"""
_NAME = re.compile(r"[\w.-]{1,100}")
_MODES = {"100644": "NORMAL", "100755": "EXECUTABLE", "120000": "SYMLINK"}
_NO_BRANCH = "0" * 40


class CodeCommit:
    """Reads the commits of the repository that the project is in, never its working tree."""

    name = "codecommit"
    falls_through = False
    operations = frozenset({"GetBlob", "GetBranch", "GetCommit", "GetFile", "GetFolder", "GetRepository"})

    def __init__(self, cloud: Cloud) -> None:
        """The project is the folder that holds `.modelwright`."""
        self._cloud = cloud
        self._repository = Repository(cloud.directory.resolve().parent)

    def start(self) -> None:
        """Nothing is kept."""

    def stop(self) -> None:
        """Nothing runs."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        name = str(call.params.get("repositoryName", ""))
        if not _NAME.fullmatch(name) or name.endswith(".git"):
            raise AwsError("InvalidRepositoryNameException", f"{name!r} is no repository's name")
        try:
            self._repository.check()
        except NoRepository:
            why = "locally it is the git repository that the project is in, and the project is in none"
            raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist: {why}") from None
        return {
            "GetBlob": self._blob,
            "GetBranch": self._branch,
            "GetCommit": self._commit,
            "GetFile": self._file,
            "GetFolder": self._folder,
            "GetRepository": self._described,
        }[call.operation](call.params)

    def push(self, repository: str, branch: str, commit: str) -> str:
        """Publish the event of a branch that came to this commit; its id.

        https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
        """
        detail = {
            "event": "referenceUpdated",
            "repositoryName": repository,
            "repositoryId": self._id(repository),
            "referenceType": "branch",
            "referenceName": branch,
            "referenceFullName": f"refs/heads/{branch}",
            "commitId": commit,
            "oldCommitId": self._repository.commit(f"{commit}^") or _NO_BRANCH,
        }
        events: Any = self._cloud.services["events"]
        return str(
            events.publish(
                {
                    "source": "aws.codecommit",
                    "detail-type": "CodeCommit Repository State Change",
                    "resources": [self._arn(repository)],
                    "detail": detail,
                }
            )
        )

    def _folder(self, params: dict[str, Any]) -> dict[str, Any]:
        commit, path = self._at(params), str(params["folderPath"]).strip("/")
        tree = self._repository.tree(commit, path)
        if tree is None:
            raise AwsError("FolderDoesNotExistException", f"Could not find path {path}")
        found = [
            _shown(entry, f"{path}/{entry.name}" if path else entry.name) for entry in self._repository.entries(tree)
        ]
        lists = {name: [entry for kind, entry in found if kind == name] for name in _LISTS}
        return {"commitId": commit, "folderPath": path, "treeId": tree, **lists}

    def _file(self, params: dict[str, Any]) -> dict[str, Any]:
        commit, path = self._at(params), str(params["filePath"]).strip("/")
        folder, _, name = path.rpartition("/")
        tree = self._repository.tree(commit, folder)
        entries = self._repository.entries(tree) if tree else []
        entry = next((entry for entry in entries if entry.name == name and entry.mode in _MODES), None)
        if entry is None:
            raise AwsError("FileDoesNotExistException", f"Could not find path {path}")
        content = self._content(entry.object_id)
        about = {"commitId": commit, "blobId": entry.object_id, "filePath": path, "fileMode": _MODES[entry.mode]}
        return {**about, "fileSize": len(content), "fileContent": content}

    def _blob(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"content": self._content(params["blobId"])}

    def _content(self, blob: str) -> bytes:
        if self._repository.size(blob) > MAX_FILE_BYTES:
            raise AwsError("FileTooLargeException", "The specified file exceeds the file size limit of 6 MB")
        content = self._repository.blob(blob)
        if content is None:
            raise AwsError("BlobIdDoesNotExistException", f"{blob} does not exist")
        return content

    def _branch(self, params: dict[str, Any]) -> dict[str, Any]:
        commit = self._repository.branch(params["branchName"])
        if commit is None:
            raise AwsError("BranchDoesNotExistException", f"{params['branchName']} does not exist")
        return {"branch": {"branchName": params["branchName"], "commitId": commit}}

    def _commit(self, params: dict[str, Any]) -> dict[str, Any]:
        commit = self._repository.commit(params["commitId"])
        if commit is None:
            raise AwsError("CommitIdDoesNotExistException", f"{params['commitId']} does not exist")
        form = "%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B"
        tree, parents, *people, message = self._repository.show(commit, form).split("\0")
        names = ("name", "email", "date")
        return {
            "commit": {
                "commitId": commit,
                "treeId": tree,
                "parents": parents.split(),
                "message": message,
                "author": dict(zip(names, people[:3], strict=True)),
                "committer": dict(zip(names, people[3:], strict=True)),
                "additionalData": "",
            }
        }

    def _described(self, params: dict[str, Any]) -> dict[str, Any]:
        name, branch = params["repositoryName"], self._repository.default_branch()
        about = {"accountId": self._cloud.account, "repositoryId": self._id(name), "repositoryName": name}
        default = {"defaultBranch": branch} if branch else {}
        return {"repositoryMetadata": {**about, **default, "Arn": self._arn(name)}}

    def _at(self, params: dict[str, Any]) -> str:
        """The commit that is asked for; without a specifier, that of the default branch."""
        specifier = str(params.get("commitSpecifier") or "HEAD")
        commit = self._repository.commit(specifier)
        if commit is None:
            raise AwsError("CommitDoesNotExistException", f"Could not find commit {specifier}")
        return commit

    def _arn(self, name: str) -> str:
        return f"arn:aws:codecommit:{self._cloud.region}:{self._cloud.account}:{name}"

    def _id(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self._arn(name)))


_LISTS = ("subFolders", "files", "symbolicLinks", "subModules")


def _shown(entry: Entry, path: str) -> tuple[str, dict[str, str]]:
    """The list that an entry of a folder belongs to, and how it stands there."""
    paths = {"absolutePath": path, "relativePath": entry.name}
    if entry.mode == "040000":
        return "subFolders", {"treeId": entry.object_id, **paths}
    if entry.mode == "160000":
        return "subModules", {"commitId": entry.object_id, **paths}
    kind = "symbolicLinks" if entry.mode == "120000" else "files"
    return kind, {"blobId": entry.object_id, **paths, "fileMode": _MODES.get(entry.mode, "NORMAL")}
