"""The Lambda `publish_merge`: what an event must be, what is read of a commit, what a person is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from codecommit_repository import Client, commit, git, make_repository, write

from modelwright.errors import BundleError, CommitNotFound
from modelwright.local.codecommit.service import MAX_FILE_BYTES
from publish_merge import domain, folder

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "7f0103" + "0" * 34
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "01234567-89ab",
    "detail-type": "CodeCommit Repository State Change",
    "source": "aws.codecommit",
    "account": "123456789012",
    "time": "2019-06-12T10:23:43Z",
    "region": "us-east-2",
    "resources": ["arn:aws:codecommit:us-east-2:123456789012:MyDemoRepo"],
    "detail": {
        "event": "referenceUpdated",
        "repositoryName": "MyDemoRepo",
        "repositoryId": "12345678-1234-5678-abcd-12345678abcd",
        "referenceType": "branch",
        "referenceName": "myBranch",
        "referenceFullName": "refs/heads/myBranch",
        "commitId": COMMIT,
        "oldCommitId": "3e5983" + "0" * 34,
        "mergeOption": "THREE_WAY_MERGE",
    },
}
"""https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html"""


def changed(**detail: Any) -> dict[str, Any]:
    return {**EVENT, "detail": {**EVENT["detail"], **detail}}


@pytest.mark.parametrize("kind", ["referenceCreated", "referenceUpdated"])
def test_a_branch_that_was_made_merged_into_or_moved_by_force_is_a_merge(kind: str) -> None:
    found = domain.Merge.from_event(changed(event=kind))
    assert found == domain.Merge("01234567-89ab", "MyDemoRepo", "myBranch", COMMIT)


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (changed(event="referenceDeleted", commitId=None), "detail.event, detail.commitId"),
        (changed(referenceType="tag"), "detail.referenceType"),
        (changed(commitId="main"), "detail.commitId"),
        ({}, "id, detail.event, detail.referenceType, detail.referenceName, detail.repositoryName, detail.commitId"),
    ],
)
def test_anything_else_is_none_and_says_why(event: dict[str, Any], names: str) -> None:
    with pytest.raises(domain.NotAMerge, match=f"see its {names}\\.$"):
        domain.Merge.from_event(event)


def test_what_is_announced_names_the_push_and_not_its_delivery() -> None:
    merge = domain.Merge.from_event(EVENT)
    assert json.loads(domain.announcement(merge, "penguins", "r" * 64)) == {
        "pipeline": "penguins",
        "branch": "myBranch",
        "commit": COMMIT,
        "release": "r" * 64,
        "event": "01234567-89ab",
    }


def test_a_person_is_told_commit_problem_and_next_step() -> None:
    merge = domain.Merge.from_event(EVENT)
    assert domain.refusal_subject(merge, "penguins") == "penguins: commit 7f0103000000 was not taken"
    assert domain.refusal(merge, "penguins", "train.py is missing.") == (
        f"The merge of commit {COMMIT} into myBranch of MyDemoRepo started no run of penguins.\n\n"
        "train.py is missing.\n\n"
        "What serves now serves on. Correct it and push again: the next commit is taken.\n"
        "See it on your machine: modelwright release penguins --commit 7f0103000000\n"
        "(event 01234567-89ab)"
    )


def test_a_message_is_never_larger_than_a_topic_takes() -> None:
    merge = domain.Merge.from_event(EVENT)
    text = domain.refusal(merge, "penguins", "ü: wrong\n" * 100_000)
    assert len(text.encode()) < 256 * 1024
    assert "\n… and more.\n\nWhat serves now" in text
    assert len(domain.refusal_subject(merge, "p" * 200)) == domain.MAX_SUBJECT_CHARACTERS


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


def read(repository: Path, target: Path, at: str, client: Client | None = None) -> dict[str, bytes | str]:
    folder.read_folder(client or Client(repository), folder.Place("models", at, "training_code/whales"), target)
    paths = sorted(path for path in target.rglob("*") if path.is_symlink() or path.is_file())
    return {
        path.relative_to(target).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in paths
    }


def test_a_folder_is_read_as_the_commit_has_it(repository: Path, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "train.py": b"print(1)\r\n",
        "data/a/b.csv": bytes(range(256)),
        "empty.txt": b"",
        "link.py": "train.py",
        "größe.txt": b"x",
    }
    write(repository / "training_code" / "whales", files)
    write(repository / "training_code" / "whales2", {"other.py": b"no"})
    at = commit(repository)
    write(repository / "training_code" / "whales", {"train.py": b"the working tree"})
    assert read(repository, tmp_path / "whales", at) == files


@pytest.mark.parametrize(
    ("at", "path", "told"),
    [
        ("0" * 40, "training_code/whales", "The repository has no such commit: the branch was moved by force"),
        ("", "training_code/cats", "The commit has no folder training_code/cats"),
    ],
)
def test_what_is_not_there_is_said(repository: Path, tmp_path: Path, at: str, path: str, told: str) -> None:
    write(repository / "training_code" / "whales", {"train.py": b""})
    found = commit(repository)
    with pytest.raises(CommitNotFound, match=told):
        folder.read_folder(Client(repository), folder.Place("models", at or found, path), tmp_path / "x")


def test_a_file_that_the_api_cannot_read_is_named(repository: Path, tmp_path: Path) -> None:
    big = {"big.bin": b"0" * (MAX_FILE_BYTES + 1), "small.bin": b"0" * MAX_FILE_BYTES}
    write(repository / "training_code" / "whales", big)
    at = commit(repository)
    with pytest.raises(BundleError, match=f"{at[:12]}:training_code/whales/big.bin is larger than 6 MB"):
        read(repository, tmp_path / "x", at)


def test_a_submodule_is_refused_by_name(repository: Path, tmp_path: Path) -> None:
    write(repository / "training_code" / "whales", {"train.py": b""})
    first = commit(repository)
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{first},training_code/whales/vendor")
    git(repository, "commit", "--quiet", "--message", "a submodule")
    at = git(repository, "rev-parse", "HEAD")
    with pytest.raises(BundleError, match="training_code/whales/vendor is a git submodule"):
        read(repository, tmp_path / "x", at)


def test_more_than_there_is_room_for_is_refused(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository / "training_code" / "whales", {"a.bin": b"0" * 600, "b.bin": b"0" * 600})
    at = commit(repository)
    monkeypatch.setattr(folder, "MAX_BYTES", 1000)
    with pytest.raises(BundleError, match=f"{at[:12]}:training_code/whales has more than"):
        read(repository, tmp_path / "x", at)
    monkeypatch.setattr(folder, "MAX_FILES", 1)
    with pytest.raises(BundleError, match="has 2 files; at most 1 can be read"):
        read(repository, tmp_path / "y", at)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "EncryptionKeyUnavailableException"])
def test_what_may_pass_is_raised_as_it_is_so_that_lambda_tries_again(
    repository: Path, tmp_path: Path, code: str
) -> None:
    write(repository / "training_code" / "whales", {"train.py": b""})
    at = commit(repository)
    with pytest.raises(ClientError, match=code):
        read(repository, tmp_path / "x", at, Client(repository, {"GetFile": code}))


class Hostile:
    """A repository that answers with a path outside the folder."""

    def get_folder(self, **_: Any) -> dict[str, Any]:
        return {"files": [{"absolutePath": "training_code/whales/../../../evil.py"}]}

    def get_file(self, **_: Any) -> dict[str, Any]:
        return {"fileContent": b"x"}


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no path inside the folder"):
        folder.read_folder(Hostile(), folder.Place("models", COMMIT, "training_code/whales"), tmp_path / "a" / "b")
    assert not list(tmp_path.rglob("evil.py"))


def test_after_a_failure_nothing_more_is_asked_for(repository: Path, tmp_path: Path) -> None:
    write(repository / "training_code" / "whales", {f"{number:03}.py": b"x" for number in range(200)})
    client = Client(repository, {"GetFile": "ThrottlingException"})
    with pytest.raises(ClientError, match="ThrottlingException"):
        read(repository, tmp_path / "x", commit(repository), client)
    assert client.asked.count("GetFile") < 100
