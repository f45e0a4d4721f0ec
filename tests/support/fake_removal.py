"""An account with two pipelines side by side, from which one is removed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fake_aws import PENGUINS, Execution, FakeSession, Pages, Pauses, StepFunctions, Story, refused

from modelwright.client.removal.pipeline import destroy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.deployment import Deployment

PEN = replace(
    PENGUINS,
    pipeline="pen",
    stack="mw-dev-pen",
    endpoint_name="mw-dev-pen",
    model_package_group="mw-dev-pen",
    state_machine_arn="arn:aws:states:eu-central-1:123456789012:stateMachine:pen-machine",
)
_OUTPUTS = {
    "StateMachineArn": "state_machine_arn",
    "EndpointName": "endpoint_name",
    "ModelPackageGroupName": "model_package_group",
    "DataBucketName": "data_bucket",
    "ArtifactBucketName": "artifact_bucket",
    "TableName": "table",
    "EventBusName": "event_bus",
    "TopicArn": "topic_arn",
    "StateMachineLogGroup": "log_group",
    "Structure": "structure",
    "KeyArn": "key_arn",
}


@dataclass
class Account:
    """Two pipelines side by side, `pen` and `pen-guins`, and another environment's `pen`."""

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, list[str]] = field(default_factory=dict)
    """the statuses that it will have, in turn"""
    configs: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    objects: dict[str, list[str]] = field(default_factory=dict)
    items: list[tuple[str, str]] = field(default_factory=list)
    refuses: str = ""
    undeletable: str = ""
    made_by: dict[str, str] = field(default_factory=dict)
    """an endpoint's configuration, when it is not one of the runs'"""
    jobs: list[list[str]] = field(default_factory=list)
    """training jobs that are Stopping, at each look"""
    batches: list[str] = field(default_factory=list)
    """batch transform jobs that are InProgress"""
    alarms: list[str] = field(default_factory=list)
    deletion_events: list[dict[str, Any]] = field(default_factory=list)

    # CloudFormation
    def describe_stacks(self, **request: Any) -> dict[str, Any]:
        name = request["StackName"]
        if name not in self.stacks:
            raise refused("ValidationError", f"Stack with id {name} does not exist", "DescribeStacks")
        return {"Stacks": [{"StackName": name, "StackStatus": "CREATE_COMPLETE", **self.stacks[name]}]}

    def describe_stack_resources(self, **request: Any) -> dict[str, Any]:
        name = request["StackName"]
        if name not in self.stacks:
            raise refused("ValidationError", f"Stack with id {name} does not exist", "DescribeStackResources")
        group = name.removesuffix("-data")
        arn = f"arn:aws:sagemaker:eu-central-1:123456789012:model-package-group/{group}"
        return {"StackResources": [{"ResourceType": "AWS::SageMaker::ModelPackageGroup", "PhysicalResourceId": arn}]}

    def delete_stack(self, **request: Any) -> None:
        name = request["StackName"]
        if name == self.undeletable:
            self.stacks[name] |= {"StackStatus": "DELETE_FAILED", "StackStatusReason": "the role is in use"}
        else:
            del self.stacks[name]

    # SageMaker
    def describe_endpoint(self, **request: Any) -> dict[str, Any]:
        statuses = self.endpoints.get(request["EndpointName"])
        if not statuses:
            raise refused("ValidationException", "Could not find endpoint", "DescribeEndpoint")
        config = self.made_by.get(request["EndpointName"], f"dev-pen-{OLD}-01")
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        variants = [{"VariantName": "AllTraffic"}]
        return {"EndpointConfigName": config, "EndpointStatus": status, "ProductionVariants": variants}

    def deregister_scalable_target(self, **request: Any) -> None:
        raise refused("ObjectNotFoundException", "No scalable target found", "DeregisterScalableTarget")

    def delete_alarms(self, **request: Any) -> None:
        self.alarms = [name for name in self.alarms if name not in request["AlarmNames"]]

    def delete_endpoint(self, **request: Any) -> None:
        del self.endpoints[request["EndpointName"]]

    def stop_transform_job(self, **request: Any) -> None:
        self.batches.remove(request["TransformJobName"])

    def delete_endpoint_config(self, **request: Any) -> None:
        self.configs.remove(request["EndpointConfigName"])

    def delete_model(self, **request: Any) -> None:
        self.models.remove(request["ModelName"])

    def delete_model_package(self, **request: Any) -> None:
        self.packages.remove(request["ModelPackageName"])

    # the others
    def get_parameters(self, **request: Any) -> dict[str, Any]:
        values = {"artifact-bucket": "artifacts", "data-bucket": "data", "table-name": "mw-dev"}
        found = [{"Name": name, "Value": values[name.rsplit("/", 1)[-1]]} for name in request["Names"]]
        return {"Parameters": found, "InvalidParameters": []}

    def delete_objects(self, **request: Any) -> dict[str, Any]:
        for entry in request["Delete"]["Objects"]:
            if entry["Key"] == self.refuses:
                return {"Errors": [{"Key": entry["Key"], "Code": "AccessDenied", "Message": "no"}]}
            self.objects[request["Bucket"]].remove(entry["Key"])
        return {}

    def delete_item(self, **request: Any) -> None:
        gone = (request["Key"]["pk"]["S"], request["Key"]["sk"]["S"])
        self.items = [item for item in self.items if item != gone]  # one that is not there is no error

    def get_paginator(self, operation: str) -> Pages:
        return Pages(getattr(self, f"_{operation}"))

    def _list_endpoint_configs(self, **request: Any) -> Iterator[dict[str, Any]]:
        found = [name for name in self.configs if request["NameContains"] in name]
        yield {"EndpointConfigs": [{"EndpointConfigName": name} for name in found]}

    def _list_models(self, **request: Any) -> Iterator[dict[str, Any]]:
        for name in [name for name in self.models if request["NameContains"] in name]:
            yield {"Models": [{"ModelName": name}]}

    def _list_training_jobs(self, **request: Any) -> Iterator[dict[str, Any]]:
        found = (self.jobs.pop(0) if self.jobs else []) if request["StatusEquals"] == "Stopping" else []
        yield {"TrainingJobSummaries": [{"TrainingJobName": name} for name in found if request["NameContains"] in name]}

    def _list_processing_jobs(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield {"ProcessingJobSummaries": []}

    def _list_transform_jobs(self, **request: Any) -> Iterator[dict[str, Any]]:
        found = self.batches if request["StatusEquals"] == "InProgress" else []
        names = [name for name in found if request["NameContains"] in name]
        yield {"TransformJobSummaries": [{"TransformJobName": name} for name in names]}

    def _describe_alarms(self, **request: Any) -> Iterator[dict[str, Any]]:
        found = [name for name in self.alarms if name.startswith(request["AlarmNamePrefix"])]
        yield {"MetricAlarms": [{"AlarmName": name} for name in found], "CompositeAlarms": []}

    def _describe_stack_events(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield {"StackEvents": self.deletion_events}

    def _list_model_packages(self, **request: Any) -> Iterator[dict[str, Any]]:
        group = f":model-package/{request['ModelPackageGroupName']}/"
        yield {"ModelPackageSummaryList": [{"ModelPackageArn": arn} for arn in self.packages if group in arn]}

    def _list_object_versions(self, **request: Any) -> Iterator[dict[str, Any]]:
        keys = [key for key in self.objects[request["Bucket"]] if key.startswith(request["Prefix"])]
        yield {"Versions": [{"Key": key, "VersionId": "1"} for key in keys[:1]]}
        yield {"DeleteMarkers": [{"Key": key, "VersionId": "2"} for key in keys[1:]]}

    def _query(self, **request: Any) -> Iterator[dict[str, Any]]:
        wanted = request["ExpressionAttributeValues"][":pk"]["S"]
        yield {"Items": [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in self.items if pk == wanted]}


def outputs(deployment: Deployment) -> dict[str, Any]:
    return {"Outputs": [{"OutputKey": key, "OutputValue": getattr(deployment, name)} for key, name in _OUTPUTS.items()]}


RUN = Execution("one", Story(), machine=PEN.state_machine_arn)
DATASETS = ("datasets/pen/1/a.csv", "datasets/pen/2/b.csv", "datasets/pen-guins/1/a.csv")
OLD, THEIRS, NEIGHBOUR = "0123456789ab", "fedcba987654", "aaaaaaaaaaaa"


def destroyed(
    account: Account,
    machine: StepFunctions | None = None,
    *,
    data: bool = False,
    pauses: Pauses | None = None,
    is_local: bool = True,
) -> list[str]:
    services = ("cloudformation", "cloudwatch", "sagemaker", "ssm", "s3", "dynamodb", "application_autoscaling")
    session = FakeSession(
        is_local=is_local, stepfunctions=machine or StepFunctions(RUN), **dict.fromkeys(services, account)
    )
    return list(destroy(session, "dev", "pen", data=data, pause=pauses or Pauses()))
