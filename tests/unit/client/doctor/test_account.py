"""`doctor --aws`: what stands in an account that a deploy needs or meets, and all that is wrong at once."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import FakeAccount, Refusal

from modelwright.client import doctor
from modelwright.client.doctor.account import CHECKS
from modelwright.client.doctor.images import images

from .conftest import NO_STACK, bad, of, quotas, stack

if TYPE_CHECKING:
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
