"""Destroying a whole environment: every pipeline that is deployed, and the shared stacks only where that is meant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import FakeAccount, Refusal

from modelwright.client.removal.environment import destroy_environment
from modelwright.config import load_project
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from modelwright.config.environment import EnvironmentSettings

WHEN = "2026-11-20T00:00:00Z"


@dataclass
class Environment:
    """Stacks and the buckets of the shared one, as CloudFormation and S3 tell them."""

    stacks: list[str]
    objects: dict[str, list[str]] = field(default_factory=dict)
    late_logs: int = 0
    """How often the log bucket is filled again between being emptied and being deleted."""
    failed: set[str] = field(default_factory=set)

    def account(self) -> FakeAccount:
        nothing: dict[str, Any] = {
            "sagemaker:DescribeEndpoint": Refusal("ValidationException", "Could not find endpoint"),
            "sagemaker:ListEndpointConfigs": {"EndpointConfigs": []},
            "sagemaker:ListModels": {"Models": []},
            "sagemaker:ListTrainingJobs": {"TrainingJobSummaries": []},
            "sagemaker:ListProcessingJobs": {"ProcessingJobSummaries": []},
            "sagemaker:ListTransformJobs": {"TransformJobSummaries": []},
            "cloudwatch:DeleteAlarms": {},
            "sagemaker:ListModelPackages": {"ModelPackageSummaryList": []},
            "cloudwatch:DescribeAlarms": {"MetricAlarms": []},
            "dynamodb:Query": {"Items": []},
            "dynamodb:DeleteItem": {},
            "cloudformation:DescribeStackEvents": {"StackEvents": []},
            "ssm:GetParameters": lambda params: {
                "Parameters": [{"Name": name, "Value": name.rsplit("/", 1)[-1]} for name in params["Names"]]
            },
        }
        own: dict[str, Callable[..., Any]] = {
            "cloudformation:ListStacks": self._list,
            "cloudformation:DescribeStacks": self._describe,
            "cloudformation:DescribeStackResources": self._resources,
            "cloudformation:DeleteStack": self._delete,
            "s3:ListObjectVersions": self._versions,
            "s3:DeleteObjects": self._remove,
        }
        return FakeAccount(nothing | own)

    def _list(self, _: Mapping[str, Any]) -> dict[str, Any]:
        known = {"StackStatus": "CREATE_COMPLETE", "CreationTime": WHEN, "TemplateDescription": "modelwright"}
        return {"StackSummaries": [{"StackName": name, **known} for name in self.stacks]}

    def _describe(self, params: Mapping[str, Any]) -> Any:
        name = params["StackName"]
        if name not in self.stacks:
            return Refusal("ValidationError", f"Stack with id {name} does not exist")
        status = "DELETE_FAILED" if name in self.failed else "CREATE_COMPLETE"
        return {"Stacks": [{"StackName": name, "StackStatus": status, "CreationTime": WHEN}]}

    def _resources(self, params: Mapping[str, Any]) -> Any:
        if params["StackName"] != "mw-box-data" or "mw-box-data" not in self.stacks:
            return Refusal("ValidationError", "Stack with id x does not exist")
        about = {"ResourceType": "AWS::S3::Bucket", "ResourceStatus": "CREATE_COMPLETE", "Timestamp": WHEN}
        return {
            "StackResources": [
                {"LogicalResourceId": name.title(), "PhysicalResourceId": name, **about} for name in self.objects
            ]
        }

    def _delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["StackName"]
        if name == "mw-box-data" and self.late_logs:
            self.late_logs -= 1
            self.objects["logs"].append("late")
        if name == "mw-box-data" and any(self.objects.values()):
            self.failed.add(name)
        else:
            self.stacks.remove(name)
        return {}

    def _versions(self, params: Mapping[str, Any]) -> dict[str, Any]:
        keys = [key for key in self.objects.get(params["Bucket"], []) if key.startswith(params["Prefix"])]
        return {"Versions": [{"Key": key, "VersionId": "1"} for key in keys]}

    def _remove(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self.failed.clear()
        for entry in params["Delete"]["Objects"]:
            self.objects[params["Bucket"]].remove(entry["Key"])
        return {}


@pytest.fixture
def settings() -> EnvironmentSettings:
    return replace(load_project(Path(__file__).parents[3], "dev").environment, name="box", removal="destroy")


@pytest.fixture
def box() -> Environment:
    stacks = ["mw-box-data", "mw-box-pen", "mw-box-pen-data", "mw-box-gone-data", "mw-boxer-x"]
    return Environment(stacks, {"data": ["a.csv"], "artifact-bucket": ["runs/pen/x", "other"], "logs": ["l"]})


def cleared(box: Environment, settings: EnvironmentSettings, *, data: bool) -> Iterator[str]:
    session: Any = box.account().session()
    return destroy_environment(session, settings, data=data, pause=lambda _: None)


def test_everything_of_a_sandbox_goes(box: Environment, settings: EnvironmentSettings) -> None:
    lines = list(cleared(box, settings, data=True))
    assert lines[-1] == "verified: no stack of box is left"
    assert "verified: no endpoint, endpoint config, model, job, alarm or stack of gone is left in box" in lines
    assert box.stacks == ["mw-boxer-x"], "another environment's"
    assert not any(box.objects.values())


def test_without_data_only_what_costs_goes(box: Environment, settings: EnvironmentSettings) -> None:
    list(cleared(box, settings, data=False))
    assert box.stacks == ["mw-box-data", "mw-box-pen-data", "mw-box-gone-data", "mw-boxer-x"]
    assert box.objects["data"]


def test_what_is_to_be_retained_stays_also_with_data(box: Environment, settings: EnvironmentSettings) -> None:
    lines = list(cleared(box, replace(settings, removal="retain"), data=True))
    assert lines[-1] == "left: the data stacks of box, since environments/box.yaml says `removal: retain`"
    assert "mw-box-data" in box.stacks
    assert box.objects["data"] == ["a.csv"]


def test_logs_that_arrive_late_are_removed_again(box: Environment, settings: EnvironmentSettings) -> None:
    box.late_logs = 2
    assert list(cleared(box, settings, data=True))[-1] == "verified: no stack of box is left"


def test_logs_that_go_on_arriving_are_an_error(box: Environment, settings: EnvironmentSettings) -> None:
    box.late_logs = 9
    with pytest.raises(ModelwrightError, match=r"^The stack mw-box-data could not be deleted"):
        list(cleared(box, settings, data=True))
