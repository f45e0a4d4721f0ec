"""Whether the endpoints' names are free or ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_name
from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.problems import is_missing
from modelwright.client.removal.leavings import endpoint_config
from modelwright.workflow.run_names import deployment_run

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_endpoints(about: Examination) -> Iterator[Finding]:
    """An endpoint of that name: somebody else's would be updated by the first run, one of old would be forgotten."""
    for name, pipeline in about.pipelines.items():
        if pipeline.deploy.endpoint != "none":
            yield _look(about, name)
        else:
            yield from _forgotten(about, name)


def _forgotten(about: Examination, pipeline: str) -> Iterator[Finding]:
    """The endpoint is no resource of the stack: who writes `endpoint: none` has it still, and pays for it.

    Its role must not go before it has given back what it holds:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpoint.html
    """
    name = stack_name(about.settings.name, pipeline)
    found = endpoint_config(about.session, name)
    if found is None or not deployment_run(about.settings.name, pipeline, found.config):
        return
    yield failure(
        "endpoints",
        f"{name} is {found.status} and costs on, though training_code/{pipeline}/pipeline.yaml says endpoint: none: "
        "a deploy takes its role and its alarms, and no run sees to it any more.",
        "Write endpoint: realtime again; or delete it, and deploy five minutes later: "
        f"`aws sagemaker delete-endpoint --endpoint-name {name} --region {about.settings.region}`.",
    )


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
