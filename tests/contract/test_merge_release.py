"""One commit is one release: what `publish_merge` makes of it by CodeCommit is what the command line makes by git.

Read from the asset's own code in an interpreter that has nothing else, as on AWS, in `test_merge_asset.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from codecommit_repository import Client, commit, make_repository, penguins, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.client.releases.release import Destination, Release, release_of_commit, release_of_extracted
from modelwright.config.environment import EnvironmentSettings
from modelwright.errors import ModelwrightError
from publish_merge.folder import Place, read_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = EnvironmentSettings("dev", "eu-central-1")
DESTINATION = Destination("eu-central-1", "artifacts")
FOLDER = "training_code/penguins"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "repository")
    penguins(root)
    return root


def by_codecommit(root: Path, at: str) -> Release:
    """What the Lambda's handler does, with the local cloud's CodeCommit."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "penguins"
        read_folder(Client(root), Place("models", at, FOLDER), folder)
        release = release_of_extracted(folder, at, ENVIRONMENT, DESTINATION)
        return Release(release.manifest, release.code, release.dataset, release.artifact_bucket)


def same(root: Path, at: str) -> Release:
    """Both releases, which must be equal to the byte."""
    mine, theirs = release_of_commit(root, "penguins", at, ENVIRONMENT, DESTINATION), by_codecommit(root, at)
    assert theirs.manifest.to_json() == mine.manifest.to_json()
    assert theirs.release_id == mine.release_id
    assert theirs.code == mine.code
    assert (theirs.dataset is None) == (mine.dataset is None)
    if mine.dataset and theirs.dataset:
        assert (theirs.dataset.uri, theirs.dataset.sha256) == (mine.dataset.uri, mine.dataset.sha256)
    return mine


def test_the_real_pipelines_commit(repository: Path) -> None:
    at = commit(repository)
    write(repository / FOLDER, {"not_committed.py": b"x"})
    release = same(repository, at)
    assert release.manifest.commit == at
    assert not [upload for upload in release.code if "not_committed" in upload.key]


def test_links_hidden_files_and_compiled_ones_are_what_a_bundle_makes_of_them(repository: Path) -> None:
    files: Mapping[str, bytes | str] = {
        "helper.py": b"x = 1\n",
        "alias.py": "helper.py",
        "lib/part.py": b"",
        "lib2": "lib",
        ".env": b"SECRET=1",
        "__pycache__/a.cpython-314.pyc": b"\0",
        "requirements.txt": b"lightgbm\n",
    }
    write(repository / FOLDER, files)
    release = same(repository, commit(repository))
    keys = {upload.key.partition("/files/")[2] for upload in release.code}
    assert {"alias.py", "lib2/part.py", "requirements.txt"} <= keys
    assert not {".env", "__pycache__/a.cpython-314.pyc"} & keys


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("outside.py", "../../../etc/hostname"),
        ("pipeline.yaml", b"train: 3\n"),
        ("inference.py", None),
    ],
)
def test_what_is_wrong_at_the_commit_is_said_in_the_same_words(
    repository: Path, name: str, content: bytes | str | None
) -> None:
    (repository / FOLDER / name).unlink(missing_ok=True)
    write(repository / FOLDER, {name: content} if content is not None else {})
    at = commit(repository)
    with pytest.raises(ModelwrightError) as mine:
        release_of_commit(repository, "penguins", at, ENVIRONMENT, DESTINATION)
    with pytest.raises(ModelwrightError) as theirs:
        by_codecommit(repository, at)
    assert type(mine.value) is type(theirs.value)
    assert mine.value.message.partition("/tmp")[0] == theirs.value.message.partition("/tmp")[0]


NAMES = st.text("abcXYZ019_-é ", min_size=1, max_size=8).filter(lambda name: name.strip() == name and name[0] != ".")
CONTENTS = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"a\r\nb", b"\xff\xfe\0", b"x" * 70_000]))
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), CONTENTS, min_size=1, max_size=6).filter(
    lambda files: not any(_is_folder(name, files) for name in files)
)


def _is_folder(name: str, files: Mapping[str, bytes]) -> bool:
    """A name cannot be a file and a folder; names that differ in case only are one file on some machines."""
    folded = [other.casefold() for other in files]
    return any(other.startswith(f"{name.casefold()}/") for other in folded) or folded.count(name.casefold()) > 1


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_repository(tmp_path_factory.mktemp("trees"))
    penguins(root)
    commit(root)
    return root


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=TREES)
def test_any_tree_of_files_is_one_release(trees: Path, files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=trees / FOLDER) as drawn:
        write(Path(drawn), files)
        same(trees, commit(trees))
