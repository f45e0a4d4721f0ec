"""`doctor --aws`: each check in an account where it holds, and in one where it does not."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import ACCOUNT, FakeAccount, Refusal

from modelwright.client import doctor
from modelwright.client.doctor.account import CHECKS
from modelwright.client.doctor.bootstrap import MINIMUM
from modelwright.client.doctor.images import images

from .conftest import ARN, NO_STACK, bad, of, quotas, stack

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.client.doctor import Finding
    from modelwright.config import Project

Examine = Callable[..., "list[Finding]"]


def test_an_account_that_is_ready(account: FakeAccount, examine: Examine) -> None:
    findings = examine()
    assert bad(findings) == []
    checks = [item.check for item in findings]
    assert checks[:2] == ["identity", "bootstrap"]
    assert set(checks) >= {"stacks", "quotas", "images", "endpoints", "log policies"}
    assert of(findings, "stacks")[0] == ("ok", "mw-dev-data: not there yet.", None)


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


WITHOUT_BUILDS = {"auto": ("warning", "served by their scripts"), "onnx": ("failure", "a run of penguins would fail")}


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


def test_a_pipeline_that_is_served_by_its_script_needs_no_build(
    account: FakeAccount, examine: Examine, loaded: Project
) -> None:
    penguins = loaded.pipelines["penguins"]
    assert of(examine(replace(penguins, deploy=replace(penguins.deploy, serve="python"))), "builds") == []
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


def test_a_region_without_the_image(account: FakeAccount, examine: Examine, loaded: Project) -> None:
    def answer(params: Mapping[str, Any]) -> dict[str, Any]:
        failed = {"imageId": params["imageIds"][0], "failureCode": "ImageNotFound", "failureReason": "none"}
        return {"images": [], "failures": [failed]}

    account.answers["ecr:BatchGetImage"] = answer
    found = of(examine(), "images")
    uris = sorted(image.uri for image in images(loaded.pipelines["penguins"], "eu-central-1"))
    assert [(level, message) for level, message, _ in found] == [
        ("failure", f"{uri} is not there: every job of it would fail.") for uri in uris
    ]
    account.answers["ecr:BatchGetImage"] = Refusal("RepositoryNotFoundException")
    assert {level for level, *_ in of(examine(), "images")} == {"failure"}


def test_images_that_may_not_be_looked_at_stop_nothing(account: FakeAccount, examine: Examine) -> None:
    account.answers["ecr:BatchGetImage"] = Refusal("AccessDeniedException", "no resource-based policy allows it")
    assert {level for level, *_ in of(examine(), "images")} == {"warning"}


@pytest.mark.parametrize(
    ("config", "status", "level"),
    [
        ("dev-penguins-0123456789ab-00", "InService", "ok"),
        ("dev-penguins-0123456789ab-00", "Failed", "warning"),
        ("somebody-elses", "InService", "failure"),
    ],
)
def test_an_endpoint_of_that_name(account: FakeAccount, examine: Examine, config: str, status: str, level: str) -> None:
    account.answers["sagemaker:DescribeEndpoint"] = {
        "EndpointName": "mw-dev-penguins",
        "EndpointArn": "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/mw-dev-penguins",
        "EndpointConfigName": config,
        "EndpointStatus": status,
        "CreationTime": "2026-11-20T00:00:00Z",
        "LastModifiedTime": "2026-11-20T00:00:00Z",
    }
    assert [found for found, *_ in of(examine(), "endpoints")] == [level]


@pytest.mark.parametrize("config", ["dev-penguins-0123456789ab-00", "somebody-elses", None])
def test_an_endpoint_of_a_pipeline_that_has_none_any_more(
    account: FakeAccount, examine: Examine, loaded: Project, config: str | None
) -> None:
    """A deploy would take its role and its alarms; no run would look at it again, and it is paid by the second."""
    if config:
        account.answers["sagemaker:DescribeEndpoint"] = {
            "EndpointName": "mw-dev-penguins",
            "EndpointArn": "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/mw-dev-penguins",
            "EndpointConfigName": config,
            "EndpointStatus": "InService",
            "CreationTime": "2026-11-20T00:00:00Z",
            "LastModifiedTime": "2026-11-20T00:00:00Z",
        }
    penguins = loaded.pipelines["penguins"]
    findings = examine(replace(penguins, deploy=replace(penguins.deploy, endpoint="none", instance=None)))
    if config is None or not config.startswith("dev-penguins-"):
        assert of(findings, "endpoints") == [], "none, or not this pipeline's"
        return
    ((level, message, hint),) = of(findings, "endpoints")
    assert level == "failure"
    assert message == (
        "mw-dev-penguins is InService and costs on, though training_code/penguins/pipeline.yaml says endpoint: none: a "
        "deploy takes its role and its alarms, and no run sees to it any more."
    )
    assert hint == (
        "Write endpoint: realtime again; or delete it, and deploy five minutes later: "
        "`aws sagemaker delete-endpoint --endpoint-name mw-dev-penguins --region eu-central-1`."
    )


@pytest.mark.parametrize(
    ("last", "level"),
    [
        ({"policyDocument": "{}"}, "warning"),
        ({"policyDocument": '{"Principal": {"Service": "delivery.logs.amazonaws.com"}}'}, "ok"),
        ({"policyDocument": "{}", "resourceArn": "arn:aws:logs:eu-central-1:111122223333:log-group:x"}, "ok"),
    ],
)
def test_room_for_a_resource_policy_of_logs(
    account: FakeAccount, examine: Examine, last: dict[str, Any], level: str
) -> None:
    """Those of single log groups do not count."""

    def pages(params: Mapping[str, Any]) -> dict[str, Any]:
        if params.get("nextToken"):
            return {"resourcePolicies": [last]}
        return {"resourcePolicies": [{"policyDocument": "{}"}] * 9, "nextToken": "more"}

    account.answers["logs:DescribeResourcePolicies"] = pages
    assert [found for found, *_ in of(examine(), "log policies")] == [level]


def test_what_may_not_be_looked_at_is_a_warning_and_the_rest_is_looked_at(
    account: FakeAccount, examine: Examine
) -> None:
    account.answers["service-quotas:ListServiceQuotas"] = Refusal("AccessDeniedException", "not authorized")
    findings = examine()
    assert of(findings, "quotas") == [
        (
            "warning",
            "could not be looked at: ListServiceQuotas was refused: not authorized",
            "The identity in use lacks this permission.",
        )
    ]
    assert of(findings, "log policies")[0][0] == "ok"


def test_several_things_that_are_wrong_are_all_said(account: FakeAccount, examine: Examine) -> None:
    account.answers["ssm:GetParameter"] = Refusal("ParameterNotFound")
    account.answers["service-quotas:ListServiceQuotas"] = quotas(training=0, processing=0)
    account.answers["cloudformation:ListStacks"] = {"StackSummaries": [stack("mw-dev-penguins", "UPDATE_IN_PROGRESS")]}
    assert [item.check for item in bad(examine())] == ["bootstrap", "stacks", "quotas", "quotas"]
    assert NO_STACK.code == "ValidationError"


def test_names_that_are_too_long_for_sagemaker(examine: Examine, loaded: Project) -> None:
    penguins = loaded.pipelines["penguins"]
    longest = replace(penguins, name="a" * 20)
    assert of(examine(longest, name="e" * 12), "names") == [
        ("ok", f"{longest.name}: the longest has 58 of 63 characters.", None)
    ]
    ((level, message, _),) = of(examine(replace(penguins, name="a" * 26), name="e" * 12), "names")
    assert level == "failure"
    assert message.endswith("has 64 characters; SageMaker takes 63.")


def test_every_check_is_asked() -> None:
    """A file of checks that nobody lists would look as if all were well."""
    found = {
        name
        for module in pkgutil.iter_modules(doctor.__path__)
        for name, value in vars(importlib.import_module(f"{doctor.__name__}.{module.name}")).items()
        if name.startswith("check_") and callable(value)
    }
    assert found - {"check_identity"} == {check.__name__ for check in CHECKS}
