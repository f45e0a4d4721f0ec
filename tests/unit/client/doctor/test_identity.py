"""`doctor --aws`: who asks, with which keys, and whether CDK was bootstrapped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from fake_account import ACCOUNT, FakeAccount, Refusal

from modelwright.client.doctor.bootstrap import MINIMUM

from .conftest import ARN, of

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.client.doctor import Finding


Examine = Callable[..., "list[Finding]"]


def test_who_asks_is_said_and_another_account_is_refused(account: FakeAccount, examine: Examine) -> None:
    assert of(examine(account=ACCOUNT), "identity") == [("ok", f"{ARN}, account {ACCOUNT}, region eu-central-1.", None)]
    findings = examine(account="444455556666")
    assert [(item.level, item.check, item.message) for item in findings] == [
        (
            "failure",
            "identity",
            "these credentials are of account 111122223333; environments/dev.yaml says 444455556666.",
        )
    ], "and nothing else is looked at: it would be of the wrong account"
    assert findings[0].stops_a_deploy


def test_an_expired_token(account: FakeAccount, examine: Examine) -> None:
    account.answers["sts:GetCallerIdentity"] = Refusal("ExpiredToken", "The security token included is expired", 403)
    assert of(examine(), "identity") == [
        (
            "failure",
            "AWS refuses these credentials (ExpiredToken): The security token included is expired",
            "Log in again, for example with `aws sso login`.",
        )
    ]


@pytest.mark.parametrize(
    ("region", "answers_in", "message"),
    [
        (
            "eu-south-1",
            "us-east-1",
            "the region eu-south-1 is not enabled in this account: its keys are not known there.",
        ),
        (
            "cn-north-1",
            "us-east-1",
            "these credentials are of the partition aws; cn-north-1 is in aws-cn, with accounts of its own.",
        ),
        (
            "eu-central-1",
            "us-gov-west-1",
            "these credentials are of the partition aws-us-gov; eu-central-1 is in aws, with accounts of its own.",
        ),
        (
            "eu-central-1",
            None,
            "AWS refuses these credentials (InvalidClientTokenId): refused by the test",
        ),
    ],
)
def test_keys_that_are_not_known_in_the_region(
    account: FakeAccount, examine: Examine, region: str, answers_in: str | None, message: str
) -> None:
    known = account.answers["sts:GetCallerIdentity"]
    account.answers["sts:GetCallerIdentity"] = Refusal("InvalidClientTokenId", status=403)
    if answers_in:
        account.regions[answers_in] = known
    ((level, found, hint),) = of(examine(region=region), "identity")
    assert (level, found) == ("failure", message)
    assert hint


@pytest.mark.parametrize("qualifier", [None, "mlteam"])
def test_an_account_without_bootstrap(account: FakeAccount, examine: Examine, qualifier: str | None) -> None:
    account.answers["ssm:GetParameter"] = Refusal("ParameterNotFound")
    ((level, message, hint),) = of(examine(qualifier=qualifier), "bootstrap")
    name = qualifier or "hnb659fds"
    assert (level, message) == (
        "failure",
        (
            f"account {ACCOUNT} is not bootstrapped in eu-central-1: "
            f"there is no SSM parameter /cdk-bootstrap/{name}/version."
        ),
    )
    own = " --qualifier mlteam --toolkit-stack-name CDKToolkit-mlteam" if qualifier else ""
    command = f"python -m modelwright.client.cdk bootstrap aws://{ACCOUNT}/eu-central-1{own}"
    assert hint == f"`{command}` does that, once an account and region."
    assert account.asked("ssm:GetParameter") == [{"Name": f"/cdk-bootstrap/{name}/version"}]


def test_a_bootstrap_that_is_too_old(account: FakeAccount, examine: Examine) -> None:
    account.answers["ssm:GetParameter"] = {"Parameter": {"Value": str(MINIMUM - 1)}}
    ((level, message, _),) = of(examine(), "bootstrap")
    assert (level, message) == (
        "failure",
        f"the bootstrap of account {ACCOUNT} in eu-central-1 is of version 5; 6 is needed.",
    )


def test_the_least_bootstrap_is_that_of_the_assembly(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"].values()
    asked = {artifact.get("properties", {}).get("requiresBootstrapStackVersion") for artifact in artifacts}
    assert asked - {None} == {MINIMUM}
