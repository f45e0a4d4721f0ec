"""Clients of the local cloud take nothing from the user's AWS settings; those of AWS take all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modelwright.client.session import Endpoint, Session
from modelwright.errors import NoCredentials

if TYPE_CHECKING:
    from pathlib import Path

HERE = Endpoint("http://127.0.0.1:4566", "key", "secret")


@pytest.fixture(autouse=True)
def nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, and no machine that has some."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_the_endpoint_is_asked_once_and_not_before_it_is_needed() -> None:
    asked = []

    def endpoint() -> Endpoint:
        asked.append(1)
        return HERE

    session = Session("eu-central-1", endpoint)
    session.warm(["stepfunctions"])
    assert asked == []
    client = session.client("stepfunctions")
    assert session.client("stepfunctions") is client
    assert session.client("s3").meta.endpoint_url == "http://127.0.0.1:4566"
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert asked == [1]


def test_the_users_settings_do_not_reach_the_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_PROFILE": "that-is-nowhere",
        "AWS_ACCESS_KEY_ID": "theirs",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "AWS_SESSION_TOKEN": "theirs",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_ENDPOINT_URL": "https://elsewhere.example",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    client = Session("eu-central-1", lambda: HERE).client("stepfunctions")
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert client.meta.config.proxies == {}
    url = client.generate_presigned_url("list_state_machines")
    assert url.startswith("http://127.0.0.1:4566/?")
    assert "X-Amz-Credential=key%2F" in url
    assert "Security-Token" not in url


def test_aws_is_asked_with_the_users_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    session = Session("eu-central-1")
    session.check_credentials()
    client = session.client("stepfunctions")
    assert not session.is_local
    assert client.meta.endpoint_url == "https://states.eu-central-1.amazonaws.com"
    assert "X-Amz-Credential=mine%2F" in client.generate_presigned_url("list_state_machines")


def test_no_credentials_is_said_before_anything_is_asked() -> None:
    with pytest.raises(NoCredentials, match=r"^AWS credentials are needed, and none were found\.\nRun `aws configure`"):
        Session("eu-central-1").check_credentials()


@pytest.mark.parametrize(("asked", "seconds"), [(None, 0.5), ("3", 3.0)])
def test_a_metadata_service_that_does_not_answer_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, seconds: float
) -> None:
    if asked:
        monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", asked)
    session = Session("eu-central-1")
    with pytest.raises(NoCredentials):
        session.check_credentials()
    assert session._botocore.get_config_variable("metadata_service_timeout") == seconds


def test_the_local_cloud_needs_no_credentials() -> None:
    Session("eu-central-1", lambda: HERE).check_credentials()


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Endpoint("u", "k", "secret")).replace("secret_key", "")
