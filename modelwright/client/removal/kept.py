"""What outlives a pipeline's stack: packages, releases, runs, models, data sets and items of the table.

Where they lie is found by the stacks that are retained, so that they can be removed after the pipeline's own has gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import stack_names, stack_resources
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.session import Session


_FOLDERS = ("releases", "commits", "code", "datasets", "runs", "models", "batch", "async", "capture")
"""of the artifact bucket"""


@dataclass(frozen=True)
class Kept:
    """Where the things of one pipeline lie."""

    pipeline: str
    artifact_bucket: str
    data_bucket: str
    table: str
    endpoint: str
    package_group: str | None
    """None: the pipeline's own data stack is not there."""
    stacks: tuple[str, str]
    options: str = ""
    """What stands behind a command that is about the same place."""

    def lines(self) -> Iterator[str]:
        """What is left when nothing of it is removed, and why."""
        if self.package_group:
            yield f"left: the model packages of {self.package_group}: what was trained, and with which metrics"
        kinds = "releases, data sets, runs, models, batch outputs, captured and asynchronous requests"
        yield f"left: {kinds} of {self.pipeline} in s3://{self.artifact_bucket}/"
        yield f"left: the items of {self.pipeline} in the table {self.table}: what ran"
        yield f"`modelwright destroy {self.pipeline} --data{self.options}` removes these; a new run goes on with them."
        yield f"left: the stacks {' and '.join(self.stacks)}: they hold what is left, of other pipelines as well"
        yield "left: logs of jobs and endpoint in /aws/sagemaker/…, the account's groups, where nothing expires"
        yield self.producers()

    def producers(self) -> str:
        """What is not ours to remove: nothing of modelwright writes to the data bucket."""
        return f"left: s3://{self.data_bucket}/incoming/{self.pipeline}/, which belongs to whoever puts data there"


def find_kept(session: Session, environment: str, pipeline: str) -> Kept | None:
    """Where a pipeline's things lie; None when the environment has no data stack."""
    shared, own, prefix = stack_names(environment, pipeline)
    if not stack_resources(session, shared):
        return None
    values = _shared_values(session, environment)
    group = stack_resources(session, own).get("AWS::SageMaker::ModelPackageGroup")
    name = group.rsplit("/", 1)[-1] if group else None  # Ref gives the ARN
    places = (values["artifact-bucket"], values["data-bucket"], values["table-name"])
    return Kept(pipeline, *places, endpoint=prefix, package_group=name, stacks=(own, shared), options=session.options)


def forget_merges(session: Session, kept: Kept) -> None:
    """Forget which merges ran last: nothing of them serves any more, so the same again is a change."""
    key = {"pk": {"S": f"PIPELINE#{kept.pipeline}"}, "sk": {"S": "MERGED"}}
    session.client("dynamodb").delete_item(TableName=kept.table, Key=key)


def remove_kept(session: Session, kept: Kept) -> Iterator[str]:
    """Remove it all for good; what is left then is empty."""
    name = kept.pipeline
    if kept.package_group:
        yield from _remove_packages(session, kept.package_group)
    folders = [f"{what}/{name}/" for what in _FOLDERS]
    for prefix in [*folders, f"defaults/{name}.json"]:
        yield from remove_objects(session, kept.artifact_bucket, prefix)
    for partition in (f"PIPELINE#{name}", f"TRIGGER#{name}", f"RECORDS#{name}", f"ENDPOINT#{kept.endpoint}"):
        yield from _remove_items(session, kept.table, partition)
    yield f"left: the stacks {' and '.join(kept.stacks)}, protected from deletion"
    yield kept.producers()


def _shared_values(session: Session, environment: str) -> dict[str, str]:
    """What the shared data stack publishes: docs/architecture.md, Settings and names."""
    root = f"/modelwright/{environment}/"
    wanted = [root + name for name in ("artifact-bucket", "data-bucket", "table-name")]
    answer = session.client("ssm").get_parameters(Names=wanted)
    if answer.get("InvalidParameters"):
        raise ModelwrightError(
            f"The SSM parameter {answer['InvalidParameters'][0]} is not there.", "Deploy the data stack again."
        )
    return {entry["Name"].removeprefix(root): entry["Value"] for entry in answer["Parameters"]}


def _remove_packages(session: Session, group: str) -> Iterator[str]:
    client = session.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [entry["ModelPackageArn"] for page in pages for entry in page["ModelPackageSummaryList"]]
    for arn in arns:
        client.delete_model_package(ModelPackageName=arn)
    yield f"model packages of {group}: {len(arns)} removed"


def remove_objects(session: Session, bucket: str, prefix: str) -> Iterator[str]:
    """Remove all versions of what begins with `prefix`: a delete marker would only hide them."""
    client, count = session.client("s3"), 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        keys = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        if keys:
            _check(client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}), bucket)
        count += len(keys)
    yield f"s3://{bucket}/{prefix}: {count} objects removed"


def _check(answer: dict[str, Any], bucket: str) -> None:
    """DeleteObjects answers 200 also when it deleted nothing: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html."""
    if answer.get("Errors"):
        first = answer["Errors"][0]
        raise ModelwrightError(
            f"s3://{bucket}/{first['Key']} could not be removed: {first.get('Code')}: {first.get('Message')}"
        )


def _items(session: Session, table: str, partition: str) -> Iterator[dict[str, Any]]:
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": partition}}}
    pages = session.client("dynamodb").get_paginator("query")
    for page in pages.paginate(TableName=table, ProjectionExpression="pk, sk", **query):
        yield from page["Items"]


def _remove_items(session: Session, table: str, partition: str) -> Iterator[str]:
    keys = list(_items(session, table, partition))
    for key in keys:
        session.client("dynamodb").delete_item(TableName=table, Key=key)
    yield f"table {table}: {len(keys)} items of {partition} removed"
