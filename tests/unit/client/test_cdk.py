"""The pinned CDK command line: how it is found, called and locked."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from fake_cdk import fake_cdk

from modelwright.client import cdk
from modelwright.errors import CdkUnavailable, DeployBusy

PACKAGE = Path(cdk.__file__).parent / "cdk_cli"


@pytest.fixture
def request_(tmp_path: Path) -> cdk.Request:
    return cdk.Request(tmp_path / "assembly", ("mw-dev-data", "mw-dev-penguins"), "eu-central-1")


def test_the_version_is_pinned_with_its_content() -> None:
    lock = json.loads((PACKAGE / "package-lock.json").read_text())["packages"]
    assert set(lock) == {"", "node_modules/aws-cdk"}, "all that it needs is inside the one package"
    assert lock["node_modules/aws-cdk"]["version"] == cdk.cdk_version()
    assert lock["node_modules/aws-cdk"]["integrity"].startswith("sha512-")
    assert cdk.cdk_version().startswith("2."), "3.x reads other assemblies"
    assert version("aws-cdk-lib") == "2.275.0", "a newer library may need a newer command line: look up which"


def test_what_is_deployed_is_the_assembly_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: cdk.Request
) -> None:
    fake = fake_cdk(tmp_path, monkeypatch)
    assert cdk.deploy(tmp_path, request_, tmp_path / "outputs.json", ask=True) == 0
    (call,) = fake.calls
    assert call["args"] == [
        "deploy",
        "--app",
        str(request_.assembly),
        "--exclusively",
        "--no-notices",
        "--require-approval",
        "broadening",
        "--concurrency",
        "1",
        "--outputs-file",
        str(tmp_path / "outputs.json"),
        "--progress",
        "events",
        "mw-dev-data",
        "mw-dev-penguins",
    ]
    assert call["variables"] == {"AWS_REGION": "eu-central-1", "telemetry": "true"}


def test_nobody_is_asked_in_ci_and_stacks_go_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: cdk.Request
) -> None:
    fake = fake_cdk(tmp_path, monkeypatch, code=1)
    assert cdk.deploy(tmp_path, request_, tmp_path / "o", ask=False) == 1
    arguments = fake.arguments
    assert arguments[arguments.index("--require-approval") + 1] == "never"
    assert int(arguments[arguments.index("--concurrency") + 1]) > 1
    assert "--import-existing-resources" not in arguments


def test_what_was_kept_is_taken_in_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_cdk(tmp_path, monkeypatch)
    cdk.deploy(tmp_path, cdk.Request(tmp_path, ("a",), "eu-central-1", True), tmp_path / "o", ask=False)
    assert "--import-existing-resources" in fake.arguments


@pytest.mark.parametrize(
    ("prints", "code", "found"),
    [
        ("Stack a\n\n✨  Number of stacks with differences: 2\n", 0, 2),
        ("✨  Number of stacks with differences: 0\n", 0, 0),
        ("Need to perform AWS calls\n", 1, None),
        ("✨  Number of stacks with differences: 2\n", 1, None),
        ("nothing known\n", 0, None),
    ],
)
def test_how_many_stacks_differ(  # noqa: PLR0917 # a table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    request_: cdk.Request,
    prints: str,
    code: int,
    found: int | None,
) -> None:
    fake_cdk(tmp_path, monkeypatch, prints=prints, code=code)
    assert cdk.diff(tmp_path, request_) == found
    assert capfd.readouterr().out == prints


def test_what_npm_says_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(CdkUnavailable) as found:
        cdk.find_cdk(tmp_path)
    assert found.value.message.startswith(f"npm could not install the CDK command line (aws-cdk {cdk.cdk_version()}): ")
    assert "ECONNREFUSED" in found.value.message
    assert not list((tmp_path / ".modelwright" / "cdk").iterdir()), "nothing half is left"


HOLD = """
import sys
from pathlib import Path
from modelwright.client.cdk import one_deploy
with one_deploy(Path(sys.argv[1]), "dev"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_deploy_from_this_folder_is_refused_until_the_first_is_over(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(DeployBusy) as found, cdk.one_deploy(tmp_path, "dev"):
            pass
        assert str(found.value) == (
            f"Another deploy of dev is under way in this folder (process {first.pid}).\n"
            "Wait until it is done, then run the same command again."
        )
        with cdk.one_deploy(tmp_path, "prod"):
            pass  # another environment is another matter
    finally:
        first.communicate()
    with cdk.one_deploy(tmp_path, "dev") as folder:
        assert folder.is_dir()
