"""Take a pipeline away: what costs money first, what cannot be brought back only when asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .deployment import Deployment
    from .session import Session


def destroy(session: Session, deployment: Deployment, *, data: bool) -> Iterator[str]:
    """Remove endpoint, models, endpoint configs and stack; with `data` also packages, objects and items.

    Yields:
        One line for each thing removed, then what is left. A second call finds less to do and does the rest.
    """
    yield from _remove_serving(session, deployment)
    yield from _remove_stack(session, deployment.stack)
    yield from _remove_data(session, deployment) if data else _left(deployment)


def _remove_serving(session: Session, deployment: Deployment) -> Iterator[str]:
    client, name = session.client("sagemaker"), deployment.endpoint_name
    if _try(lambda: client.delete_endpoint(EndpointName=name)):
        client.get_waiter("endpoint_deleted").wait(
            EndpointName=name, WaiterConfig={"Delay": max(1, round(session.poll_seconds))}
        )
        yield f"endpoint {name}: removed"
    ours = re.compile(rf"{re.escape(deployment.pipeline)}-[0-9a-f]{{12}}-\d+")
    kinds: list[tuple[str, str, str, Callable[[str], Any]]] = [
        (
            "list_endpoint_configs",
            "EndpointConfigs",
            "EndpointConfigName",
            lambda item: client.delete_endpoint_config(EndpointConfigName=item),
        ),
        ("list_models", "Models", "ModelName", lambda item: client.delete_model(ModelName=item)),
    ]
    for call, member, key, delete in kinds:
        pages = client.get_paginator(call).paginate(NameContains=deployment.pipeline)
        names = [entry[key] for page in pages for entry in page[member] if ours.fullmatch(entry[key])]
        for item in names:
            delete(item)
        yield f"{len(names)} {'models' if key == 'ModelName' else 'endpoint configs'}: removed"


def _try(action: Callable[[], Any]) -> bool:
    """Run it; False when what it removes is not there."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see session.py

    try:
        action()
    except ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return False
        raise
    return True


def _remove_stack(session: Session, name: str) -> Iterator[str]:
    client = session.client("cloudformation")
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": max(1, round(session.poll_seconds))}
    )
    yield f"stack {name}: removed"


def _left(deployment: Deployment) -> Iterator[str]:
    yield f"left: model packages in {deployment.model_package_group}, releases, runs and models in s3://{deployment.artifact_bucket}/"
    yield f"left: data sets in s3://{deployment.data_bucket}/datasets/{deployment.pipeline}/, items in the table {deployment.table}"
    yield f"left: the stack {deployment.stack}-data; `modelwright run {deployment.pipeline}` brings the pipeline back"


def _remove_data(session: Session, deployment: Deployment) -> Iterator[str]:
    yield from _remove_packages(session, deployment.model_package_group)
    name = deployment.pipeline
    for prefix in (
        f"releases/{name}/",
        f"commits/{name}/",
        f"defaults/{name}.json",
        f"code/{name}/",
        f"runs/{name}/",
        f"models/{name}/",
    ):
        yield from _remove_objects(session, deployment.artifact_bucket, prefix)
    yield from _remove_objects(session, deployment.data_bucket, f"datasets/{name}/")
    for partition in (f"PIPELINE#{name}", f"TRIGGER#{name}", f"ENDPOINT#{deployment.endpoint_name}"):
        yield from _remove_items(session, deployment.table, partition)
    yield f"left: the stack {deployment.stack}-data (an empty repository and package group, protected from deletion) and the shared stack"


def _remove_packages(session: Session, group: str) -> Iterator[str]:
    client = session.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [entry["ModelPackageArn"] for page in pages for entry in page["ModelPackageSummaryList"]]
    for arn in arns:
        client.delete_model_package(ModelPackageName=arn)
    yield f"{len(arns)} model packages in {group}: removed"


def _remove_objects(session: Session, bucket: str, prefix: str) -> Iterator[str]:
    client, count = session.client("s3"), 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        keys = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for member in ("Versions", "DeleteMarkers")
            for item in page.get(member, [])
        ]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        count += len(keys)
    yield f"s3://{bucket}/{prefix}: {count} objects removed"


def _remove_items(session: Session, table: str, partition: str) -> Iterator[str]:
    client, count = session.client("dynamodb"), 0
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": partition}}}
    for page in client.get_paginator("query").paginate(TableName=table, ProjectionExpression="pk, sk", **query):
        for item in page["Items"]:
            client.delete_item(TableName=table, Key=item)
            count += 1
    yield f"table {table}: {count} items of {partition} removed"
