"""The statements that several policies have, and what they are made of.

What CloudFormation names after its stack is held by patterns:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html#resources-section-physical-id
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import stack_name
from modelwright.config.images import dns_suffix
from modelwright.workflow.run_names import name_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelwright.client.caller_policy.place import Place

Statement = dict[str, Any]
PUBLISHED = ("code", "commits", "datasets", "releases")
"""The folders of the artifact bucket that a release is published to."""


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return a policy with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: Iterable[str], resources: Sequence[str], condition: Any = None) -> Statement:
    """Return the statement; `sid` says what it is for."""
    found: Statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return {**found, "Condition": condition} if condition else found


def find_stacks(place: Place, *more: str) -> Statement:
    """Allow to find what is deployed; every command begins with that."""
    stacks = place.arn("cloudformation", f"stack/mw-{place.environment}-*/*")
    return allow("FindWhatIsDeployed", ["cloudformation:DescribeStacks", *more], [stacks])


def list_objects(sid: str, bucket: str, prefixes: Iterable[str]) -> Statement:
    """Allow to list a bucket, below these prefixes only."""
    return allow(sid, ["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": list(prefixes)}})


def find_champion(place: Place) -> Statement:
    """Allow to read which package serves."""
    return allow("FindTheChampion", ["dynamodb:GetItem"], [table(place)], items(place, ("PIPELINE#{pipeline}",)))


def ask_registry(place: Place) -> Statement:
    """Allow to read what the registry holds of a package."""
    return allow(
        "AskTheRegistry", ["sagemaker:DescribeModelPackage"], place.each("sagemaker", "model-package/{name}/*")
    )


def encrypt(place: Place) -> list[Statement]:
    """Allow the environment's own key, if there is one, for what is written to S3."""
    return _with_key(place, "EncryptWhatIsPublished", "kms:GenerateDataKey", "s3")


def decrypt(place: Place, sid: str) -> list[Statement]:
    """Allow the environment's own key, if there is one, for what is read from S3."""
    return _with_key(place, sid, "kms:Decrypt", "s3")


def read_items(place: Place) -> list[Statement]:
    """Allow the environment's own key, if there is one, for the items of the table."""
    return _with_key(place, "ReadItems", "kms:Decrypt", "dynamodb")


def _with_key(place: Place, sid: str, action: str, service: str) -> list[Statement]:
    """The key's own policy lets the account decide; here only what goes through one service."""
    via = f"{service}.{place.region}.{dns_suffix(place.region)}"
    found = allow(sid, [action], [place.arn("kms", "key/*")], {"StringEquals": {"kms:ViaService": via}})
    return [found] if place.own_key else []


def table(place: Place) -> str:
    """Return the ARN of the environment's table."""
    return place.arn("dynamodb", f"table/mw-{place.environment}")


def items(place: Place, partitions: tuple[str, ...]) -> dict[str, Any]:
    """Return the condition for only these pipelines' items of the table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    keys = [
        partition.format(pipeline=pipeline, name=stack_name(place.environment, pipeline))
        for pipeline in place.pipelines
        for partition in partitions
    ]
    return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys}}


def machines(place: Place) -> list[str]:
    """Return the ARNs of the state machines."""
    return place.each("states", "stateMachine:{name}")


def models(place: Place, kind: str = "model") -> list[str]:
    """Return the patterns of the models that runs make, or of another `kind` that has their names."""
    return [place.arn("sagemaker", f"{kind}/{name_pattern(place.environment, each)}") for each in place.pipelines]


def batch_jobs(place: Place) -> list[str]:
    """Return the patterns of the transform jobs."""
    names = [name_pattern(place.environment, each, "batch") for each in place.pipelines]
    return [place.arn("sagemaker", f"transform-job/{name}") for name in names]


def end_scaling(place: Place) -> list[Statement]:
    """Allow to end an endpoint's scaling: with Auto Scaling's own alarms, and the one that starts the first machine."""
    targets = [place.arn("application-autoscaling", "scalable-target/*")]
    of_sagemaker = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
    names = ("alarm:{name}-from-zero", "alarm:TargetTracking-endpoint/{name}/variant/*")
    alarms = [each for name in names for each in place.each("cloudwatch", name)]
    return [
        allow("EndScaling", ["application-autoscaling:DeregisterScalableTarget"], targets, of_sagemaker),
        allow("EndAlarmsOfScaling", ["cloudwatch:DeleteAlarms"], alarms),
    ]


def job_log(place: Place, kind: str) -> str:
    """Return the log group of all jobs of a kind.

    It is the whole account's: a job has a stream of it, and nothing is granted on streams.
    """
    return place.arn("logs", f"log-group:/aws/sagemaker/{kind}Jobs:*")
