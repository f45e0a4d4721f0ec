"""Releases of folders in a repository and of its commits."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from released_project import FakeS3, commit, git, of_commit, of_folder, things

from modelwright.client.releases.release import (
    publish_release,
)
from modelwright.errors import BundleError, CommitNotFound, NotARepository, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_clean_folder_gets_its_commits_pointer(repository: Path) -> None:
    s3, release = FakeS3(), of_folder(repository)
    publish_release(s3, release)
    head = git(repository, "rev-parse", "HEAD")
    assert (release.manifest.commit, release.manifest.clean) == (head, True)
    assert json.loads(s3.objects["artifacts", f"commits/things/{head}.json"]) == {"release": release.release_id}


@pytest.mark.parametrize("change", ["edited", "new", "deleted", "staged"])
def test_a_folder_that_differs_from_its_commit_is_not_clean_and_gets_no_pointer(repository: Path, change: str) -> None:
    if change == "new":
        (things(repository) / "more.py").write_text("1")
    elif change == "deleted":
        (things(repository) / "README.md").unlink()
    else:
        (things(repository) / "train.py").write_text("1")
    if change == "staged":
        git(repository, "add", "-A")
    s3, release = FakeS3(), of_folder(repository)
    publish_release(s3, release)
    assert (release.manifest.commit, release.manifest.clean) == (git(repository, "rev-parse", "HEAD"), False)
    assert not [key for _, key in s3.objects if key.startswith("commits/")]


def test_changes_elsewhere_leave_the_folder_clean(repository: Path) -> None:
    (repository / "README.md").write_text("x")
    assert of_folder(repository).manifest.clean


def test_a_clean_folder_and_its_commit_are_the_same_release(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\nscratch/\n")
    commit(repository)
    (things(repository) / "train.log").write_text("x")
    (things(repository) / "scratch").mkdir()
    (things(repository) / "scratch" / "a.py").write_text("x")
    assert of_folder(repository).manifest == of_commit(repository, "HEAD").manifest


def test_a_commit_is_released_as_it_was_whatever_lies_in_the_folder_now(repository: Path) -> None:
    first, released = git(repository, "rev-parse", "HEAD"), of_commit(repository, "HEAD")
    (things(repository) / "train.py").write_text("other")
    (things(repository) / "data" / "rents.csv").write_text("other")
    (things(repository) / "pipeline.yaml").write_text("broken: [")
    commit(repository)
    shutil.rmtree(things(repository))
    again = of_commit(repository, first[:10])
    assert again.manifest == released.manifest
    s3 = FakeS3()
    publish_release(s3, again)
    uri = again.manifest.data.uri.removeprefix("s3://artifacts/")
    assert s3.objects["artifacts", uri].startswith(b"area_m2,")


def test_data_that_git_ignores_are_in_no_commit(repository: Path) -> None:
    git(repository, "rm", "-q", "--cached", "training_code/things/data/rents.csv")
    (repository / ".gitignore").write_text("rents.csv\n")
    commit(repository)
    release = of_folder(repository)
    assert not release.manifest.clean
    assert release.manifest.data.uri.endswith("/rents.csv")
    with pytest.raises(SettingsError, match=r"data\.source is 'data/rents\.csv', which does not exist"):
        of_commit(repository, "HEAD")


def test_a_script_that_git_ignores_is_an_error(repository: Path) -> None:
    (repository / ".gitignore").write_text("train.py\n")
    git(repository, "rm", "-q", "--cached", "training_code/things/train.py")
    with pytest.raises(BundleError, match=r"things: train\.py would not be in the bundle: git ignores it"):
        of_folder(repository)


def test_wrong_settings_of_a_commit_name_the_commit(repository: Path) -> None:
    (things(repository) / "pipeline.yaml").write_text("nope: 1")
    found = commit(repository)
    with pytest.raises(
        SettingsError, match=rf"{found[:12]}:training_code/things/pipeline\.yaml:1: nope is not a known key"
    ):
        of_commit(repository, "HEAD")


def test_files_of_any_name_and_links_come_out_of_a_commit(repository: Path) -> None:
    (things(repository) / "a b ü\n.txt").write_bytes(b"\x00\r\n\xff")
    (things(repository) / "link.py").symlink_to("train.py")
    (repository / ".gitattributes").write_text("* text=auto eol=crlf export-ignore\n")
    commit(repository)
    assert of_commit(repository, "main").manifest.code == of_folder(repository).manifest.code


def test_a_link_in_a_commit_that_leaves_the_folder_is_an_error(repository: Path) -> None:
    (things(repository) / "link.py").symlink_to("../../cdk.json")
    commit(repository)
    with pytest.raises(BundleError, match=r"link\.py is a link to"):
        of_commit(repository, "HEAD")


@pytest.mark.parametrize("name", ["0123456789" * 4, "nope", "--all", "HEAD:README.md", ""])
def test_an_unknown_commit_is_an_error(repository: Path, name: str) -> None:
    with pytest.raises(CommitNotFound, match="There is no commit"):
        of_commit(repository, name)


def test_a_commit_without_the_folder_is_an_error(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "cdk.json")
    git(root, "commit", "-q", "-m", "x")
    with pytest.raises(CommitNotFound, match="has no folder training_code/things"):
        of_commit(root, "HEAD")


def test_without_a_repository_there_is_no_commit(root: Path) -> None:
    with pytest.raises(NotARepository):
        of_commit(root, "HEAD")


def test_before_the_first_commit_there_is_none(root: Path) -> None:
    git(root, "init", "-q")
    found = of_folder(root).manifest
    assert (found.commit, found.clean) == (None, False)


def test_a_hooks_variables_do_not_mislead(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert of_folder(repository).manifest.clean


def test_a_project_below_the_repositorys_root_is_released_alike(repository: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(repository, outer / "deep" / "project", ignore=shutil.ignore_patterns(".git"))
    git(outer, "init", "-q")
    (outer / ".gitignore").write_text("*.log\n")
    commit(outer)
    inner = outer / "deep" / "project"
    (things(inner) / "x.log").write_text("x")
    assert of_folder(inner).manifest == of_commit(inner, "HEAD").manifest
