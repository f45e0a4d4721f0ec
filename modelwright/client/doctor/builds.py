"""Whether the account may build our own image: some new ones have a quota of no build at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.doctor.quotas import quotas

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICE = "codebuild"
QUOTA = "Concurrently running builds for Linux/Small environment"
"""https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html"""


def check_builds(about: Examination) -> Iterator[Finding]:
    """A quota of 0 is no failure of a run with `serve: auto`: the script serves the model, in AWS's image.

    https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/1013
    """
    building = {name: pipeline for name, pipeline in about.pipelines.items() if pipeline.structure().own_image}
    if not building:
        return
    region = about.settings.region
    found = quotas(about, _SERVICE, {QUOTA}).get(QUOTA)
    if found is None:
        text = f"CodeBuild tells no quota {QUOTA!r} in {region}."
        yield warning("builds", text, "The first run shows whether a build may run.")
        return
    value = int(found["Value"])
    if value > 0:
        yield ok("builds", f"{QUOTA}: {value}, and 1 needed.")
        return
    ask = (
        f"`aws service-quotas request-service-quota-increase --region {region} --service-code {_SERVICE} "
        f"--quota-code {found['QuotaCode']} --desired-value 1` asks for one."
    )
    strict = sorted(name for name, pipeline in building.items() if pipeline.deploy.serve != "auto")
    if strict:
        text = f"{QUOTA}: 0, so a run of {', '.join(strict)} would fail (serve: onnx or python; auto would not)."
        yield failure("builds", text, ask, blocks=False)
    else:
        yield warning("builds", f"{QUOTA}: 0, so models are served by their scripts in AWS's image (serve: auto).", ask)
