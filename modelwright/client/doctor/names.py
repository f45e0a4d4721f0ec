"""Whether the names that runs make fit: SageMaker cuts none, it refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_name
from modelwright.client.doctor.findings import Examination, Finding, failure, ok
from modelwright.workflow.run_names import name_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEPS = ("process", "train", "evaluate", "package")
_MOST = 63
"""Of a job, a model, an endpoint, its configuration and a package group:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html"""


def check_names(about: Examination) -> Iterator[Finding]:
    """The longest name of each pipeline. What the settings' own limits let through fits."""
    environment = about.settings.name
    for pipeline in about.pipelines:
        jobs = [name_pattern(environment, pipeline, step) for step in _STEPS]
        longest = max(*jobs, name_pattern(environment, pipeline), stack_name(environment, pipeline), key=len)
        if len(longest) > _MOST:
            text = f"a name like {longest} has {len(longest)} characters; SageMaker takes {_MOST}."
            yield failure("names", text, "A shorter name for the pipeline's folder, or for the environment.")
        else:
            yield ok("names", f"{pipeline}: the longest has {len(longest)} of {_MOST} characters.")
