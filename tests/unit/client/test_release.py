from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from modelwright.cli.scaffold import scaffold
from modelwright.client.dataset import publish_dataset, read_dataset
from modelwright.client.release import (
    Destination,
    Release,
    build_release,
    publish_release,
    release_of_commit,
    release_of_folder,
)
from modelwright.config import Project, load_project
from modelwright.config.read_environment import read_environment
from modelwright.config.release import ReleaseManifest
from modelwright.errors import BundleError, CommitNotFound, DataNotFound, InvalidInput, NotARepository, SettingsError

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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the pipeline `things`, in no repository."""
    found = tmp_path / "project"
    (found / "environments").mkdir(parents=True)
    (found / "cdk.json").write_text("{}")
    (found / "environments" / "dev.yaml").write_text("region: eu-central-1\n")
    (found / "training_code").mkdir()
    scaffold(found, "things")
    return found


@pytest.fixture
def repository(root: Path) -> Path:
    """The same, all of it committed."""
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


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


def test_the_manifest_has_the_form_of_the_architecture(root: Path) -> None:
    manifest = json.loads(of_folder(root).manifest.to_json())
    code, data = manifest["code"]["sha256"], manifest["data"]["sha256"]
    image = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    job = {
        "image": image,
        "instance": "ml.m5.large",
        "instance_count": 1,
        "volume_gib": 10,
        "max_runtime_seconds": 3600,
    }
    assert manifest["schema"] == 1
    assert (manifest["pipeline"], manifest["commit"], manifest["clean"]) == ("things", None, False)
    assert manifest["code"] == {
        "uri": f"s3://artifacts/code/things/{code}/code.tar.gz",
        "files": f"s3://artifacts/code/things/{code}/files/",
        "sha256": code,
        "requirements": False,
    }
    assert manifest["data"] == {"uri": f"s3://artifacts/datasets/things/{data}/rents.csv", "sha256": data}
    assert manifest["process"] == {"script": "process.py", "arguments": ["--test-fraction", "0.25"], **job}
    assert manifest["train"] == {"script": "train.py", "hyperparameters": {"alpha": "1.0"}, **job}
    assert manifest["evaluate"] == {"script": "evaluate.py", "arguments": [], **job}
    assert manifest["gate"][2]["right"] == {"champion": "r2", "plus": -0.02}
    smoke_test = manifest["deploy"].pop("smoke_test")
    assert manifest["deploy"] == {
        "image": image,
        "instance": "ml.t2.medium",
        "instance_count": 1,
        "keep": 3,
        "content_types": ["text/csv", "application/json"],
        "endpoint": "realtime",
        "framework": "sklearn",
        "framework_version": "1.9-0",
        "serve": "auto",
        "variants": [{"name": "AllTraffic", "weight": 1.0, "instance": "ml.t2.medium", "instance_count": 1}],
        "update": {"traffic": "all-at-once", "percent": None, "wait_seconds": 300},
        **dict.fromkeys(("network_isolation", "autoscaling", "capture", "shadow", "serverless", "async", "api")),
    }
    assert (smoke_test["content_type"], smoke_test["accept"]) == ("text/csv", "application/json")
    assert manifest["structure"] == load(root).pipeline("things").structure().digest()


def test_a_manifest_survives_json_and_its_id_is_its_content(root: Path) -> None:
    manifest = of_folder(root).manifest
    assert ReleaseManifest.from_json(manifest.to_json()) == manifest
    assert ReleaseManifest.from_json(manifest.to_json()).release_id == manifest.release_id
    assert dataclasses.replace(manifest, commit="0" * 40).release_id != manifest.release_id


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1}', "null"])
def test_what_is_no_manifest_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        ReleaseManifest.from_json(text)


def test_the_bundle_has_the_code_and_neither_settings_nor_data(root: Path) -> None:
    names = [upload.key.split("/", 3)[3] for upload in of_folder(root).code]
    assert names == [
        "files/README.md",
        "files/data/README.md",
        "files/data/smoke.csv",
        "files/evaluate.py",
        "files/inference.py",
        "files/process.py",
        "files/train.py",
        "code.tar.gz",
    ]


def test_a_changed_hyperparameter_changes_the_release_and_not_the_code(root: Path) -> None:
    before = of_folder(root).manifest
    settings = things(root) / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("alpha: 1.0", "alpha: 2.0"))
    after = of_folder(root).manifest
    assert after.release_id != before.release_id
    assert (after.code, after.structure) == (before.code, before.structure)


def test_data_in_s3_are_named_and_not_read(root: Path) -> None:
    settings = things(root) / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("data/rents.csv", "s3://elsewhere/rents/"))
    release = of_folder(root)
    assert release.dataset is None
    assert (release.manifest.data.uri, release.manifest.data.sha256) == ("s3://elsewhere/rents/", None)


def test_a_model_that_is_only_registered_has_an_image_and_no_machine(root: Path) -> None:
    settings = things(root) / "pipeline.yaml"
    text = settings.read_text()
    deploy = next(line for line in text.splitlines() if line.startswith("deploy:"))
    settings.write_text(text.replace(deploy, "deploy: {endpoint: none}"))
    found = of_folder(root).manifest.deploy
    assert (found.instance, found.instance_count, found.smoke_test) == (None, None, None)
    assert "sagemaker-scikit-learn" in found.image


def test_publishing_writes_all_and_the_manifest_last(root: Path) -> None:
    s3, release = FakeS3(), of_folder(root)
    assert publish_release(s3, release, default=True) == release.release_id
    puts = [call.removeprefix("put ") for call in s3.calls if call.startswith("put ")]
    assert [key.split("/")[0] for key in puts] == ["datasets", *["code"] * 8, "releases", "defaults"]
    assert puts[8].endswith("code.tar.gz")  # when it is there, all files are
    assert json.loads(s3.objects["artifacts", "defaults/things.json"]) == {"release": release.release_id}
    assert s3.objects["artifacts", f"releases/things/{release.release_id}.json"].decode() == release.manifest.to_json()
    uri = release.manifest.data.uri.removeprefix("s3://artifacts/")
    assert s3.objects["artifacts", uri] == (things(root) / "data" / "rents.csv").read_bytes()


def test_publishing_again_asks_once_and_sends_nothing(root: Path) -> None:
    s3 = FakeS3()
    publish_release(s3, of_folder(root))
    s3.calls.clear()
    release = of_folder(root)
    publish_release(s3, release)
    assert s3.calls == [f"list releases/things/{release.release_id}.json"]


def test_another_release_of_the_same_code_and_data_sends_its_manifest_only(root: Path) -> None:
    s3 = FakeS3()
    publish_release(s3, of_folder(root))
    s3.calls.clear()
    settings = things(root) / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("alpha: 1.0", "alpha: 2.0"))
    publish_release(s3, of_folder(root))
    assert [call.split("/")[0] for call in s3.calls] == ["list releases", "list datasets", "list code", "put releases"]


def test_a_release_that_could_not_be_written_whole_has_no_manifest(root: Path) -> None:
    s3, release = FakeS3(), of_folder(root)
    s3.refuse = "train.py"
    with pytest.raises(ClientError):
        publish_release(s3, release)
    assert not [key for _, key in s3.objects if key.startswith("releases/") or key.endswith("code.tar.gz")]
    s3.refuse = ""
    publish_release(s3, release)
    assert ("artifacts", release.manifest.key) in s3.objects


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


def test_a_folder_of_data_is_sent_by_file_and_only_what_is_missing(tmp_path: Path) -> None:
    for name in ("a.csv", "sub/b.csv", "sub/c.csv", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    dataset = read_dataset(tmp_path, "things", "data")
    assert dataset.uri == f"s3://data/datasets/things/{dataset.sha256}/"
    s3 = FakeS3()
    assert publish_dataset(s3, dataset) == 3
    assert [key.rsplit(dataset.sha256 + "/")[1] for _, key in sorted(s3.objects)] == ["a.csv", "sub/b.csv", "sub/c.csv"]
    del s3.objects["data", dataset.prefix + "sub/b.csv"]
    assert publish_dataset(s3, dataset) == 1
    assert publish_dataset(s3, dataset) == 0


def test_a_datasets_name_is_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    (tmp_path / "b.csv").write_text("1")
    one, two = (read_dataset(tmp_path / name, "p", "data").sha256 for name in ("a.csv", "b.csv"))
    assert one == two
    before = read_dataset(tmp_path, "p", "data").sha256
    (tmp_path / "b.csv").rename(tmp_path / "c.csv")
    assert read_dataset(tmp_path, "p", "data").sha256 != before


def test_data_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    for name, text in (("none.csv", None), ("empty.csv", "")):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(DataNotFound, match=name):
            read_dataset(tmp_path / name, "p", "data")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataNotFound, match="holds no data file"):
        read_dataset(tmp_path / "folder", "p", "data")


def test_building_is_a_function_of_its_arguments(root: Path) -> None:
    settings = load(root).pipeline("things")
    one, two = (build_release(settings, DESTINATION, commit="1" * 40, clean=True) for _ in range(2))
    assert one == two
