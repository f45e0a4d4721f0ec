"""The asset of `publish_merge` has all that its code needs beside Lambda's runtime, and the same bytes every time."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from codecommit_repository import commit, make_repository, penguins
from template_queries import read_stack

import modelwright
from modelwright.client.releases.release import Destination, release_of_commit
from modelwright.config.environment import EnvironmentSettings, LimitSettings
from modelwright.config.environment_json import environment_from_json
from modelwright.config.images import FRAMEWORKS, table_file
from modelwright.workflow.trigger_functions import SHIPPED
from stacks.constructs.merge_asset import stage

ENVIRONMENT = EnvironmentSettings("dev", "eu-central-1", limits=LimitSettings(max_volume_gib=11))
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""https://docs.aws.amazon.com/lambda/latest/dg/python-package.html: the SDK and what it needs"""
MAKE_A_RELEASE = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import publish_merge.handler as handler
from pathlib import Path
import modelwright, yaml
assert modelwright.__file__.startswith(sys.argv[1]) and yaml.__file__.startswith(sys.argv[1])
environment = handler.environment_from_json(handler.ENVIRONMENT_FILE.read_text("utf-8"))
destination = handler.Destination(environment.region, "artifacts")
release = handler.release_of_extracted(Path(sys.argv[3]), sys.argv[4], environment, destination)
json.dump({"id": release.release_id, "loaded": sorted(sys.modules)}, sys.stdout)
"""


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asset")
    stage(folder, ENVIRONMENT)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages that Lambda's runtime has, and no other."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in OF_THE_RUNTIME:
        found = importlib.util.find_spec(name)
        assert found
        assert found.origin
        origin = Path(found.origin)
        (folder / (name if origin.name == "__init__.py" else origin.name)).symlink_to(
            origin.parent if origin.name == "__init__.py" else origin
        )
    return folder


def test_it_makes_the_command_lines_release_with_nothing_else_installed(
    asset: Path, runtime: Path, tmp_path: Path
) -> None:
    """`-I -S`: no site-packages, no variables, no working directory; all comes from the two folders."""
    repository = make_repository(tmp_path / "repository")
    folder = penguins(repository)
    at = commit(repository)
    command = [sys.executable, "-I", "-S", "-B", "-c", MAKE_A_RELEASE, str(asset), str(runtime), str(folder), at]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    wanted = release_of_commit(repository, "penguins", at, ENVIRONMENT, Destination("eu-central-1", "artifacts"))
    assert made["id"] == wanted.release_id
    assert not {"modelwright.local", "sagemaker.core", "yaml._yaml", "rich"} & set(made["loaded"])


def test_the_environments_limits_are_those_of_the_deploy(asset: Path) -> None:
    assert environment_from_json((asset / "environment.json").read_text("utf-8")) == ENVIRONMENT


def test_nobodys_address_is_in_it(tmp_path: Path) -> None:
    stage(tmp_path, replace(ENVIRONMENT, notify_emails=("someone@example.com",)))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"someone@example.com" in path.read_bytes()]


def test_it_is_the_same_twice_and_small(asset: Path, tmp_path: Path) -> None:
    stage(tmp_path, ENVIRONMENT)
    files = {path.relative_to(asset): path.read_bytes() for path in asset.rglob("*") if path.is_file()}
    again = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == again
    assert not [path for path in files if path.suffix in {".pyc", ".so"}]
    assert sum(map(len, files.values())) < 1024 * 1024


def test_every_file_can_be_read_by_lambda_whatever_the_umask_is_here(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        stage(tmp_path, ENVIRONMENT)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_dir()} == {0o755}


def test_what_is_taken_is_taken_as_it_is(asset: Path) -> None:
    package = Path(modelwright.__file__).parent
    for pattern in SHIPPED:
        for path in package.glob(pattern):
            assert (asset / "modelwright" / path.relative_to(package)).read_bytes() == path.read_bytes()
    for framework in FRAMEWORKS:
        assert (asset / f"sagemaker/core/image_uri_config/{framework}.json").read_bytes() == table_file(
            framework
        ).read_bytes()


def test_the_other_functions_asset_is_without_it(assembly: Path) -> None:
    key = read_stack(assembly, "mw-dev-penguins").functions()["prepare_run"]["Code"]["S3Key"]
    (folder,) = assembly.glob(f"asset.{key.removesuffix('.zip')}")
    assert (folder / "prepare_run" / "handler.py").is_file()
    assert not (folder / "publish_merge").exists()
