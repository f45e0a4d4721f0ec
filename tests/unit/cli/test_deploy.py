"""`modelwright deploy`: what is asked for, shown and done, with a stand-in for CDK and for the account."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import FakeAccount, Refusal
from fake_cdk import FakeCdk, fake_cdk
from ready_account import described

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from command_line import Say


NAMES = ("mw-dev-data", "mw-dev-penguins-data", "mw-dev-penguins")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_deploy_looks_deploys_and_publishes_what_schedules_run(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    code, out, err = say("deploy", "--yes")
    assert (code, err) == (0, "")
    assert tuple(cdk.arguments[-3:]) == NAMES
    assert "mw-dev-penguins\n  EndpointName  mw-dev-penguins\n" in out
    assert "penguins: schedules and new data run release " in out
    assert out.endswith("`modelwright run penguins --aws --env dev` runs it.\n")
    keys = [params["Key"] for params in account.asked("s3:PutObject")]
    assert keys[-1] == "defaults/penguins.json"


def test_each_deploy_publishes_the_default_again(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    account.answers["s3:HeadObject"] = {}
    account.answers["s3:ListObjectsV2"] = lambda params: {"KeyCount": 1, "Contents": [{"Key": params["Prefix"]}]}
    assert say("deploy", "penguins", "--yes")[0] == 0
    assert "defaults/penguins.json" in [params["Key"] for params in account.asked("s3:PutObject")]


def test_without_a_terminal_nobody_is_asked(
    say: Say, account: FakeAccount, cdk: FakeCdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert say("deploy") == (
        2,
        "",
        "error: There is no terminal to ask on, and a deploy gives roles rights.\nGive --yes to mean it.\n",
    )
    assert (cdk.calls, account.calls) == ([], [])


def test_on_a_terminal_new_rights_are_asked_for(
    say: Say, account: FakeAccount, cdk: FakeCdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert say("deploy")[0] == 0
    assert cdk.arguments[cdk.arguments.index("--require-approval") + 1] == "broadening"


def test_what_would_fail_is_not_begun(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    account.answers["ssm:GetParameter"] = Refusal("ParameterNotFound")
    code, out, err = say("deploy", "--yes")
    assert code == 1
    assert "FAILURE  bootstrap: account 111122223333 is not bootstrapped in eu-central-1" in out
    assert err.startswith("error: Nothing was deployed: it would fail.\n")
    assert cdk.calls == []


def test_a_quota_of_0_is_shown_and_the_deploy_goes_on(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    quota = {"QuotaName": "ml.m5.large for training job usage", "QuotaCode": "L-1", "Value": 0.0}
    account.answers["service-quotas:ListServiceQuotas"] = {"Quotas": [quota]}
    account.answers["service-quotas:ListAWSDefaultServiceQuotas"] = {"Quotas": []}
    code, out, _ = say("deploy", "--yes")
    assert code == 0
    assert "FAILURE  quotas: ml.m5.large for training job usage: 0, and 1 needed" in out


def test_what_was_kept_is_taken_in_when_asked(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    account.answers["cloudformation:DescribeStacks"] = lambda params: (
        described(params)
        if params["StackName"] == "mw-dev-penguins"
        else Refusal("ValidationError", "Stack with id x does not exist")
    )
    account.answers["dynamodb:DescribeTable"] = {"Table": {"TableName": "mw-dev"}}
    account.answers["ecr:DescribeRepositories"] = Refusal("RepositoryNotFoundException")
    account.answers["sagemaker:DescribeModelPackageGroup"] = Refusal("ValidationException", "does not exist")
    assert say("deploy", "--yes")[0] == 1
    assert cdk.calls == []
    assert say("deploy", "--yes", "--import-existing")[0] == 0
    assert "--import-existing-resources" in cdk.arguments


def test_an_unknown_pipeline_is_wrong_input(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    code, _, err = say("deploy", "pengins", "--yes")
    assert (code, err) == (2, "error: There is no pipeline 'pengins' in training_code/.\nDid you mean penguins?\n")
    assert account.calls == []


@pytest.mark.parametrize("command", [("deploy", "--yes"), ("diff",)])
def test_wrong_settings_are_said_before_anything(
    say: Say, account: FakeAccount, cdk: FakeCdk, deployable: Path, command: tuple[str, ...]
) -> None:
    (deployable / "training_code/penguins/pipeline.yaml").write_text("description: x\n")
    code, _, err = say(*command)
    assert code == 2
    assert "problems in the settings:" in err
    assert (account.calls, cdk.calls) == ([], [])


def test_keys_that_expire_while_it_is_deployed(
    say: Say, account: FakeAccount, deployable: Path, monkeypatch: Any
) -> None:
    fake = fake_cdk(deployable, monkeypatch, code=1)

    def describe(params: Mapping[str, Any]) -> Any:
        return Refusal("ExpiredTokenException", "The token has expired", 403) if fake.calls else described(params)

    account.answers["cloudformation:DescribeStacks"] = describe
    code, _, err = say("deploy", "--yes")
    assert (code, err.splitlines()[0]) == (
        1,
        "error: AWS refuses these credentials (ExpiredTokenException): The token has expired",
    )


def test_ctrl_c_says_that_cloudformation_goes_on(
    say: Say, account: FakeAccount, cdk: FakeCdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("modelwright.client.cdk.deploy", interrupted)
    code, _, err = say("deploy", "--yes")
    assert code == 130
    assert err.splitlines() == [
        "CloudFormation goes on with what it has begun; `modelwright diff --env dev` shows what is missing.",
        "interrupted",
    ]
