"""Whether the endpoints' names are free or ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_name
from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.problems import is_missing
from modelwright.workflow.run_names import deployment_run

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_endpoints(about: Examination) -> Iterator[Finding]:
    """An endpoint of that name that somebody else made would be updated by the first run."""
    for name, pipeline in about.pipelines.items():
        if pipeline.deploy.instance:
            yield _look(about, name)


def _look(about: Examination, pipeline: str) -> Finding:
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    name = stack_name(about.settings.name, pipeline)
    try:
        found = about.session.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        return ok("endpoints", f"{name} is free.")
    config = found.get("EndpointConfigName", "")
    if not deployment_run(about.settings.name, pipeline, config):
        return failure(
            "endpoints",
            f"{name} is there, with the configuration {config}, which no run of {pipeline} made.",
            "Delete it, or give the pipeline's folder another name: the first run would replace what it serves.",
        )
    if found["EndpointStatus"] == "Failed":
        text = f"{name} is Failed: {found.get('FailureReason', 'AWS gives no reason')}"
        return warning("endpoints", text, "The next run that deploys removes it and makes it again.")
    return ok("endpoints", f"{name} is this pipeline's ({found['EndpointStatus']}).")
