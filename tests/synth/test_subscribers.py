"""Who is told: whoever goes from the list takes nobody else's subscription along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import App, Environment
from template_queries import read_stack

from modelwright.config import EnvironmentSettings
from stacks.data_stack import DataStack

if TYPE_CHECKING:
    from pathlib import Path


def subscribers(folder: Path, *emails: str) -> dict[str, str]:
    """The subscriptions' logical ids and addresses of an environment that tells `emails`."""
    settings = EnvironmentSettings("dev", "eu-central-1", notify_emails=emails)
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    DataStack(app, settings, Environment(region=settings.region))
    app.synth()
    found = read_stack(folder, "mw-dev-data").all("AWS::SNS::Subscription")
    return {id_: properties["Endpoint"] for id_, properties in found.items()}


def test_an_address_keeps_its_subscription_whoever_comes_or_goes(tmp_path: Path) -> None:
    """A subscription that moves to another address is made before the old one is removed, and that is the same one."""
    both = subscribers(tmp_path / "both", "ann@example.org", "ben@example.org")
    assert sorted(both.values()) == ["ann@example.org", "ben@example.org"]
    one = subscribers(tmp_path / "one", "ben@example.org")
    assert one.items() <= both.items()
    three = subscribers(tmp_path / "three", "aaa@example.org", "ben@example.org", "ann@example.org")
    assert both.items() <= three.items()
