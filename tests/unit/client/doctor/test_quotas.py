"""`doctor --aws`: the account's quotas of what the pipeline runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from .conftest import bad, of, quotas

if TYPE_CHECKING:
    from fake_account import FakeAccount

    from modelwright.client.doctor import Finding
    from modelwright.config import Project


Examine = Callable[..., "list[Finding]"]


def test_a_quota_of_0_fails_with_the_command_that_asks_for_more(account: FakeAccount, examine: Examine) -> None:
    account.answers["service-quotas:ListServiceQuotas"] = quotas(training=0)
    findings = examine()
    (wrong,) = bad(findings)
    assert (wrong.check, wrong.level, wrong.message) == (
        "quotas",
        "failure",
        "ml.m5.large for training job usage: 0, and 1 needed: a run would fail.",
    )
    assert wrong.hint == (
        "`aws service-quotas request-service-quota-increase --region eu-central-1 --service-code sagemaker "
        "--quota-code L-0 --desired-value 1` asks for more."
    )
    assert not wrong.stops_a_deploy, "what is deployed is right; the first run would fail"


_FAILS = ("failure", "a run of penguins would fail")
WITHOUT_BUILDS = {"auto": ("warning", "served by their scripts in AWS's image"), "onnx": _FAILS, "python": _FAILS}


@pytest.mark.parametrize("serve", WITHOUT_BUILDS)
def test_an_account_that_may_not_build_our_image(
    account: FakeAccount, examine: Examine, loaded: Project, serve: str
) -> None:
    penguins = loaded.pipelines["penguins"]
    pipeline = replace(penguins, deploy=replace(penguins.deploy, serve=serve))
    account.answers["service-quotas:ListServiceQuotas"] = quotas(builds=0)
    ((level, message, hint),) = of(examine(pipeline), "builds")
    assert (level, WITHOUT_BUILDS[serve][1] in message) == (WITHOUT_BUILDS[serve][0], True)
    assert "--service-code codebuild" in str(hint)


def test_a_pipeline_that_is_served_by_aws_s_image_needs_no_build(
    account: FakeAccount, examine: Examine, loaded: Project
) -> None:
    penguins = loaded.pipelines["penguins"]
    assert of(examine(replace(penguins, deploy=replace(penguins.deploy, serve="framework"))), "builds") == []
    assert of(examine(), "builds")[0][0] == "ok"
    account.answers["service-quotas:ListServiceQuotas"] = {"Quotas": []}
    account.answers["service-quotas:ListAWSDefaultServiceQuotas"] = {"Quotas": []}
    assert of(examine(), "builds")[0][0] == "warning"


def test_a_quota_that_an_update_of_the_endpoint_needs_twice(account: FakeAccount, examine: Examine) -> None:
    account.answers["service-quotas:ListServiceQuotas"] = quotas(endpoint=1)
    ((level, message, _),) = [found for found in of(examine(), "quotas") if found[0] != "ok"]
    assert (level, message) == (
        "warning",
        "ml.t2.medium for endpoint usage: 1, enough to begin with, but an update of an endpoint needs 2.",
    )


def test_a_quota_that_was_never_applied_is_that_of_the_defaults(account: FakeAccount, examine: Examine) -> None:
    account.answers["service-quotas:ListServiceQuotas"] = {"Quotas": []}
    assert {level for level, *_ in of(examine(), "quotas")} == {"ok"}
    account.answers["service-quotas:ListAWSDefaultServiceQuotas"] = {"Quotas": []}
    assert {level for level, *_ in of(examine(), "quotas")} == {"warning"}
