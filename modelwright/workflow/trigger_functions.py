"""The Lambdas that are no state of the workflow: an event calls them, or a request."""

from __future__ import annotations

from typing import Final

from modelwright.workflow.function import Function, Grant

PUBLISH_MERGE: Final = Function(
    name="publish_merge",
    memory_mib=1769,  # one whole CPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    timeout_seconds=300,
    storage_mib=2048,
    environment=("PIPELINE", "ARTIFACT_BUCKET", "EVENT_BUS_NAME", "TOPIC_ARN"),
    grants=(),
)
"""Makes the release of a commit in CodeCommit; its grants are in `stacks/grants/codecommit.py`."""

COUNT_RECORDS: Final = Function(
    name="count_records",
    memory_mib=1769,  # as above: counting is the processor's work
    timeout_seconds=900,
    environment=("PIPELINE", "TABLE_NAME", "TOPIC_ARN", "STATE_MACHINE_ARN", "DATA_PREFIX", "EVERY_RECORDS"),
    grants=(),
)
"""Counts the records of new objects; its grants are in `stacks/grants/new_data.py`."""

CLOSE_RUN: Final = Function(
    name="close_run",
    memory_mib=512,
    timeout_seconds=90,
    environment=("PIPELINE", "ENVIRONMENT", "TABLE_NAME", "TOPIC_ARN", "ENDPOINT_NAME"),
    grants=(),
)
"""Closes the run of an execution that was ended from outside; its grants are in `stacks/grants/closing.py`."""

_ARTIFACTS: Final = "${ArtifactBucketArn}"
SERVE_API: Final = Function(
    name="serve_api",
    memory_mib=1024,
    timeout_seconds=29,  # as long as API Gateway waits
    environment=("PIPELINE", "ARTIFACT_BUCKET", "TABLE_NAME", "ENDPOINT_NAME", "AUTHORIZATION"),
    grants=(
        Grant(("dynamodb:GetItem",), ("${TableArn}",), "which model serves"),
        Grant(
            ("s3:GetObject",),
            (
                f"{_ARTIFACTS}/releases/${{Pipeline}}/*",
                f"{_ARTIFACTS}/code/${{Pipeline}}/*/files/*",
                f"{_ARTIFACTS}/models/${{Pipeline}}/*/schema.json",
            ),
            "the champion's release, its preprocessing hook and its schema",
        ),
        Grant(("s3:ListBucket",), (_ARTIFACTS,), "without it S3 answers 403 for a model that has no schema"),
        Grant(
            ("sagemaker:InvokeEndpoint",),
            ("arn:${Partition}:sagemaker:${Region}:${Account}:endpoint/${EndpointName}",),
            "asks the model",
        ),
        Grant(("kms:Decrypt",), ("${KeyArn}",), "reads encrypted objects and items"),
    ),
    deploys=True,
    refuses=True,
)
"""Answers the REST API's requests."""

EXPIRE_ENDPOINT: Final = Function(
    name="expire_endpoint",
    memory_mib=512,
    timeout_seconds=90,
    environment=("PIPELINE", "TABLE_NAME", "ENDPOINT_NAME", "TOPIC_ARN", "TTL_HOURS", "SCALES"),
    grants=(),
)
"""Deletes an endpoint that nobody deployed to for long; its grants are in `stacks/grants/expiring.py`."""

TRIGGER_FUNCTIONS: Final = (PUBLISH_MERGE, COUNT_RECORDS, CLOSE_RUN, SERVE_API, EXPIRE_ENDPOINT)

SHIPPED: Final = (
    "__init__.py",
    "errors.py",
    "project.py",
    "config/*.py",
    "config/*.json",
    "client/__init__.py",
    "client/releases/bundle.py",
    "client/releases/dataset.py",
    "client/releases/git.py",
    "client/releases/manifest.py",
    "client/releases/release.py",
    "client/releases/uploads.py",
)
"""What of this package `publish_merge` carries in its asset: a release is made by the same code everywhere."""
