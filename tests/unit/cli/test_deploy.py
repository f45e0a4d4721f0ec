"""`modelwright deploy` and `diff`: what is asked for, shown and done, with a stand-in for CDK and for the account."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import ACCOUNT, FakeAccount, Refusal
from fake_cdk import FakeCdk, fake_cdk

from modelwright.cli import main
from modelwright.client import deploying

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[3]
NAMES = ("mw-dev-data", "mw-dev-penguins-data", "mw-dev-penguins")
OUTPUTS = [
    "StateMachineArn",
    "EndpointName",
    "ModelPackageGroupName",
    "DataBucketName",
    "ArtifactBucketName",
    "TableName",
    "EventBusName",
    "TopicArn",
    "StateMachineLogGroup",
    "Structure",
    "KeyArn",
]
Say = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _described(params: Mapping[str, Any]) -> Any:
    outputs = [{"OutputKey": name, "OutputValue": name.lower()} for name in OUTPUTS]
    return {
        "Stacks": [
            {
                "StackName": params["StackName"],
                "StackStatus": "CREATE_COMPLETE",
                "CreationTime": "2026-11-20T00:00:00Z",
                "Outputs": outputs,
            }
        ]
    }


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """Ready for the sample pipeline; every stack is there."""
    quotas = [
        {"QuotaName": f"{instance} usage", "QuotaCode": "L-1", "Value": 4.0}
        for instance in (
            *("ml.m5.large for training job", "ml.m5.large for processing job", "ml.m5.large for transform job"),
            "ml.t2.medium for endpoint",
        )
    ]
    builds = {"QuotaName": "Concurrently running builds for Linux/Small environment", "QuotaCode": "L-2", "Value": 1.0}
    quotas.append(builds)
    made = FakeAccount(
        {
            "sts:GetCallerIdentity": {"Account": ACCOUNT, "Arn": "arn:aws:iam::111122223333:user/x", "UserId": "A"},
            "ssm:GetParameter": {"Parameter": {"Value": "30"}},
            "ssm:GetParameters": {"Parameters": []},
            "cloudformation:ListStacks": {"StackSummaries": []},
            "cloudformation:DescribeStacks": _described,
            "cloudformation:DescribeStackResources": {"StackResources": []},
            "service-quotas:ListServiceQuotas": {"Quotas": quotas},
            "ecr:BatchGetImage": {"images": [{"imageManifest": "{}"}]},
            "sagemaker:DescribeEndpoint": Refusal("ValidationException", "Could not find endpoint"),
            "logs:DescribeResourcePolicies": {"resourcePolicies": []},
            "s3:HeadObject": Refusal("404", status=404),
            "s3:ListObjectsV2": {"KeyCount": 0},
            "s3:PutObject": {},
            "cloudformation:DescribeStackEvents": {"StackEvents": []},
            "application-autoscaling:DescribeScalingPolicies": {"ScalingPolicies": []},
        }
    )
    monkeypatch.setattr("modelwright.cli.platform.Session", made.session)
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("cdk.json", "app.py", "environments"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "training_code/penguins", tmp_path / "training_code/penguins")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
    monkeypatch.setattr(deploying, "make_assembly", lambda _root, _env, folder: folder / "assembly")
    return tmp_path


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main.run(list(arguments))
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def cdk(project: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCdk:
    return fake_cdk(project, monkeypatch, outputs={"mw-dev-penguins": {"EndpointName": "mw-dev-penguins"}})


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
        _described(params)
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


@pytest.mark.parametrize(
    ("differences", "arguments", "code", "last"),
    [
        (0, (), 0, "A deploy would change nothing."),
        (2, (), 0, "A deploy would change 2 of the stacks."),
        (2, ("--exit-code",), 3, "A deploy would change 2 of the stacks."),
        (0, ("--exit-code",), 0, "A deploy would change nothing."),
    ],
)
def test_diff_says_how_many_stacks_would_change(  # noqa: PLR0917 # a table
    say: Say,
    account: FakeAccount,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    differences: int,
    arguments: tuple[str, ...],
    code: int,
    last: str,
) -> None:
    fake_cdk(project, monkeypatch, prints=f"Stack x\n✨  Number of stacks with differences: {differences}\n")
    found, out, _ = say("diff", *arguments)
    assert (found, out.splitlines()[-1]) == (code, last)


def test_diff_that_fails_is_no_difference(
    say: Say, account: FakeAccount, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cdk(project, monkeypatch, prints="no\n", code=1)
    code, _, err = say("diff", "--exit-code")
    assert code == 1
    assert err.startswith("error: What a deploy would change is not known: what CDK says stands above.\n")


def test_diff_with_expired_keys_says_so_and_asks_nothing(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    account.answers["sts:GetCallerIdentity"] = Refusal("ExpiredToken", "The security token is expired", 403)
    code, _, err = say("diff")
    assert (code, err) == (
        1,
        (
            "error: AWS refuses these credentials (ExpiredToken): The security token is expired\nLog in again, "
            "for example with `aws sso login`.\n"
        ),
    )
    assert cdk.calls == []


@pytest.mark.parametrize("command", [("deploy", "--yes"), ("diff",)])
def test_wrong_settings_are_said_before_anything(
    say: Say, account: FakeAccount, cdk: FakeCdk, project: Path, command: tuple[str, ...]
) -> None:
    (project / "training_code/penguins/pipeline.yaml").write_text("description: x\n")
    code, _, err = say(*command)
    assert code == 2
    assert "problems in the settings:" in err
    assert (account.calls, cdk.calls) == ([], [])


def test_doctor_counts_and_fails(say: Say, account: FakeAccount, project: Path) -> None:
    code, out, _ = say("doctor", "--aws")
    assert (code, out.splitlines()[-1].split(", ")[1:]) == (0, ["0 warnings", "0 failures"])
    account.answers["ssm:GetParameter"] = Refusal("ParameterNotFound")
    code, out, _ = say("doctor", "--aws")
    assert (code, out.splitlines()[-1].split(", ")[1:]) == (1, ["0 warnings", "1 failure"])
    assert "\n         `python -m modelwright.client.cdk bootstrap aws://111122223333/eu-central-1` does that" in out


def test_doctor_of_this_machine(say: Say, project: Path) -> None:
    code, out, _ = say("doctor")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines() if not line.startswith(" ")][:4] == [
        "python:",
        "disk:",
        "node:",
        "cdk:",
    ]
    (project / "training_code/penguins/pipeline.yaml").write_text("description: x\n")
    code, out, _ = say("doctor")
    assert code == 1
    assert "FAILURE  settings: " in out


def test_doctor_prints_the_policy_of_the_environments_callers(say: Say, project: Path) -> None:
    code, out, _ = say("doctor", "--policy", "run")
    assert code == 0
    resources = [text for item in json.loads(out)["Statement"] for text in item["Resource"]]
    assert "arn:aws:states:eu-central-1:ACCOUNT:stateMachine:mw-dev-penguins" in resources


def test_keys_that_expire_while_it_is_deployed(say: Say, account: FakeAccount, project: Path, monkeypatch: Any) -> None:
    fake = fake_cdk(project, monkeypatch, code=1)

    def describe(params: Mapping[str, Any]) -> Any:
        return Refusal("ExpiredTokenException", "The token has expired", 403) if fake.calls else _described(params)

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
