"""What is taken away of an endpoint's scaling when nothing asks for it any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import FakeAccount, Refusal

from modelwright.client.removal.scaling import end_unwanted
from modelwright.config import load_project
from modelwright.config.hosting import Autoscaling

if TYPE_CHECKING:
    from modelwright.config import PipelineSettings

DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def penguins() -> PipelineSettings:
    return load_project(Path(__file__).parents[3], "dev").pipeline("penguins")


def policy(resource: str, name: str) -> dict[str, Any]:
    return {
        "PolicyARN": f"arn:{resource}:{name}",
        "PolicyName": name,
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
        "PolicyType": "TargetTrackingScaling",
        "CreationTime": 0,
    }


def account_with(*policies: tuple[str, str], **more: Any) -> FakeAccount:
    answers = {
        "application-autoscaling:DescribeScalingPolicies": {"ScalingPolicies": [policy(*each) for each in policies]},
        "application-autoscaling:DeregisterScalableTarget": {},
        "cloudwatch:DeleteAlarms": {},
    }
    return FakeAccount({**answers, **more})


def ended(account: FakeAccount, *pipelines: PipelineSettings) -> list[str]:
    return list(end_unwanted(account.session(), "dev", pipelines))  # type: ignore[arg-type]


def test_what_runs_set_goes_for_every_variant_once(penguins: PipelineSettings) -> None:
    ours = [(f"endpoint/mw-dev-penguins/variant/{name}", "follow-load") for name in ("A", "B")]
    account = account_with(*ours, ("endpoint/mw-dev-penguins/variant/A", "from-zero"))
    assert ended(account, penguins) == [
        "mw-dev-penguins: A scales no more, as nothing in the settings asks for it",
        "mw-dev-penguins: B scales no more, as nothing in the settings asks for it",
    ]
    gone = account.asked("application-autoscaling:DeregisterScalableTarget")
    assert [each["ResourceId"] for each in gone] == [resource for resource, _ in ours]
    assert {each["ScalableDimension"] for each in gone} == {DIMENSION}
    assert account.asked("cloudwatch:DeleteAlarms")[0]["AlarmNames"] == ["mw-dev-penguins-from-zero"]


def test_what_others_set_and_what_is_wanted_stays(penguins: PipelineSettings) -> None:
    others = [
        ("endpoint/mw-dev-penguins/variant/A", "my-own"),
        ("endpoint/mw-dev-penguins2/variant/A", "follow-load"),
        ("endpoint/mw-prod-penguins/variant/A", "follow-load"),
    ]
    assert ended(account_with(*others), penguins) == []
    scaling = replace(penguins, deploy=replace(penguins.deploy, autoscaling=Autoscaling(1, 2, 9, None, 1, 1)))
    account = account_with(("endpoint/mw-dev-penguins/variant/A", "follow-load"))
    assert ended(account, scaling) == []
    assert account.calls == [], "nobody is asked when every pipeline scales"


def test_what_went_meanwhile_is_fine_and_any_other_refusal_is_not(penguins: PipelineSettings) -> None:
    ours = ("endpoint/mw-dev-penguins/variant/A", "follow-load")
    operation = "application-autoscaling:DeregisterScalableTarget"
    gone = Refusal("ObjectNotFoundException")
    assert ended(account_with(ours, **{operation: gone}), penguins) == []
    with pytest.raises(Exception, match="AccessDenied"):
        ended(account_with(ours, **{operation: Refusal("AccessDeniedException")}), penguins)
