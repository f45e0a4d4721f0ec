"""What who destroys needs, with the data and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.caller_policy.statements import (
    PUBLISHED,
    Statement,
    allow,
    batch_jobs,
    end_scaling,
    find_stacks,
    items,
    machines,
    models,
    read_items,
    table,
)

if TYPE_CHECKING:
    from modelwright.client.caller_policy.place import Place

_KEPT = (*PUBLISHED, "runs", "models", "batch", "async", "capture")
_PARTITIONS = ("PIPELINE#{pipeline}", "TRIGGER#{pipeline}", "RECORDS#{pipeline}", "ENDPOINT#{name}")
_LISTS = tuple(
    f"sagemaker:List{what}" for what in ("EndpointConfigs", "Models", "ProcessingJobs", "TrainingJobs", "TransformJobs")
)


def destroy_policy(place: Place) -> list[Statement]:
    """For `destroy PIPELINE --aws`, with `--data` and without."""
    parameters = place.parameters("artifact-bucket", "data-bucket", "table-name")
    return [
        find_stacks(place, "cloudformation:DescribeStackResources"),
        allow("ReadParameters", ["ssm:GetParameters"], parameters),
        allow("StopRuns", ["states:StopExecution"], place.each("states", "execution:{name}:*")),
        allow("ListRuns", ["states:ListExecutions"], machines(place)),
        *_hosting(place),
        *_stacks(place),
        *_data(place),
        *read_items(place),
    ]


def _hosting(place: Place) -> list[Statement]:
    """What costs money by the hour, and what no stack holds of it."""
    removing = ("sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint")
    made = [*models(place, "endpoint-config"), *models(place)]
    return [
        allow("RemoveEndpoints", removing, place.each("sagemaker", "endpoint/{name}")),
        *end_scaling(place),
        allow("StopBatches", ["sagemaker:StopTransformJob"], batch_jobs(place)),
        allow("RemoveModels", ["sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"], made),
        # none of these takes a resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
        allow("LookForWhatIsLeft", _LISTS, ["*"]),
        allow("LookForAlarms", ["cloudwatch:DescribeAlarms"], [place.arn("cloudwatch", "alarm:*")]),
    ]


def _stacks(place: Place) -> list[Statement]:
    """CloudFormation deletes with the role of the deploy, which it keeps.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    """
    stacks = place.each("cloudformation", "stack/{name}/*")
    return [
        allow("RemoveStacks", ["cloudformation:DeleteStack"], stacks),
        allow("WhyAStackStays", ["cloudformation:DescribeStackEvents"], stacks),
    ]


def _data(place: Place) -> list[Statement]:
    removing = ("dynamodb:DeleteItem", "dynamodb:Query")
    return [
        allow("ListPackages", ["sagemaker:ListModelPackages"], ["*"]),
        allow("RemovePackages", ["sagemaker:DeleteModelPackage"], place.each("sagemaker", "model-package/{name}/*")),
        allow("ListVersions", ["s3:ListBucketVersions"], [place.artifacts]),
        allow("RemoveVersions", ["s3:DeleteObjectVersion"], place.objects(_KEPT)),
        allow("RemoveItems", removing, [table(place)], items(place, _PARTITIONS)),
    ]
