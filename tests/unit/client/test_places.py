"""A command that a message names is about the place that the message is about."""

from __future__ import annotations

import argparse

import pytest

from modelwright.cli.platform import environment_option
from modelwright.client.removal.kept import Kept
from modelwright.client.session import Endpoint, Session


@pytest.mark.parametrize(
    ("environment", "option", "default"),
    [("dev", "", None), ("prod", " --env prod", None), ("prod", "", "prod"), ("dev", " --env dev", "prod")],
)
def test_the_environment_is_named_where_it_is_not_the_default(
    monkeypatch: pytest.MonkeyPatch, environment: str, option: str, default: str | None
) -> None:
    monkeypatch.setenv("MODELWRIGHT_ENV", default or "")
    assert environment_option(argparse.Namespace(env=environment)) == option


def test_a_place_is_this_machine_or_aws_and_an_environment() -> None:
    here = Endpoint("http://127.0.0.1:1", "key", "secret")
    assert Session("eu-central-1", lambda: here).options == ""
    assert Session("eu-central-1", lambda: here, " --env prod").options == " --env prod"
    assert Session("eu-central-1", environment_option=" --env prod").options == " --aws --env prod"


def test_what_would_remove_for_good_names_its_environment() -> None:
    places = ("artifacts", "data", "table", "mw-prod-penguins", None, ("own", "shared"))
    lines = list(Kept("penguins", *places, options=" --aws --env prod").lines())
    assert any(line.startswith("`modelwright destroy penguins --data --aws --env prod`") for line in lines)
