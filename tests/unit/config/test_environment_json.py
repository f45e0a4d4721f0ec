"""The environment's settings survive being text: the Lambda that publishes merges reads them from its asset."""

from __future__ import annotations

import dataclasses
from dataclasses import fields
from typing import Any

import pytest

from modelwright.config.environment import (
    AlarmSettings,
    EnvironmentSettings,
    LimitSettings,
    LogSettings,
    VpcSettings,
)
from modelwright.config.environment_json import environment_from_json, environment_to_json

WHOLE = EnvironmentSettings(
    name="prod",
    region="eu-west-1",
    account="123456789012",
    logs=LogSettings(90),
    notify_emails=("a@example.org", "b@example.org"),
    alarms=AlarmSettings(500, 1.5, 7.5, 3, {"accuracy": 0.7}),
    limits=LimitSettings(7200, 2, 50, ("ml.m5.*",), 24, 1800, 9000),
    removal="destroy",
    key="aws-owned",
    vpc=VpcSettings(("subnet-1", "subnet-2"), ("sg-1",), "vpc-1", ("rtb-1",), "create"),
    permissions_boundary="arn:aws:iam::123456789012:policy/bound",
    role_path="/ml/",
    tags={"team": "größe"},
    qualifier="mine",
    oidc_provider="create",
    api_logs="create",
)
"""Nothing in it is a default: a setting that is added and not here makes the test below fail."""


@pytest.mark.parametrize("settings", [WHOLE, EnvironmentSettings("dev", "eu-central-1")], ids=["whole", "defaults"])
def test_what_is_read_is_what_was_written(settings: EnvironmentSettings) -> None:
    text = environment_to_json(settings)
    found = environment_from_json(text)
    assert found == settings
    assert environment_to_json(found) == text


def _defaults(value: Any, path: str) -> list[str]:
    found = []
    for field in fields(value):
        is_set = getattr(value, field.name)
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        found += [f"{path}.{field.name}"] if default is not dataclasses.MISSING and is_set == default else []
        found += _defaults(is_set, f"{path}.{field.name}") if dataclasses.is_dataclass(is_set) else []
    return found


def test_every_setting_is_tried() -> None:
    assert _defaults(WHOLE, "environment") == []
