"""What is served: the compiled archive, or the packaged one with the user's script; and by whose image. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.errors import PipelineError

VERSION = 1
WITHOUT_IMAGE = ("", "FindServingImage", "BuildServingImage")
"""The states after which there is no image of ours; the nameless one knows that there is none of the version."""
MAX_REASON = 1000
_HEX = frozenset("0123456789abcdef")


class NotCompiled(PipelineError):
    """`deploy.serve` is onnx, and the model cannot be compiled, or would answer otherwise."""


class ReportInvalid(PipelineError):
    """The conversion's report is not what the job writes."""


class ArchiveChanged(PipelineError):
    """The compiled archive is not the one of which the report says that it was compared."""


@dataclass(frozen=True)
class Conversion:
    """What the conversion came to."""

    reason: str
    """Why the model is served by its script, and maybe by AWS's image; empty when the compiled one is served."""
    sha256: str
    """Of the compiled archive; empty when there is none."""
    schema: bool
    """Whether the model's schema lies beside the report."""
    loaded: bool = True
    """Whether script and model can be loaded with the libraries of our image, as far as is known."""


def not_converted(problem: dict[str, str]) -> Conversion:
    """What a state before the report came to: its name, error and cause."""
    reason = f"{problem['state']}: {_readable(problem['error'], problem['cause'])}" if problem["state"] else ""
    return Conversion((reason or problem["cause"])[:MAX_REASON], "", schema=False, loaded=not _died(problem))


def _died(problem: dict[str, str]) -> bool:
    """Whether the job's process ended with the script and its model in it: it reports all else, and exits with 0.

    AlgorithmError is what SageMaker says of a container that did not:
    https://github.com/aws/sagemaker-python-sdk/issues/1378
    """
    try:
        found = json.loads(problem["cause"])
    except ValueError:
        return False
    said = str(found.get("FailureReason")) if isinstance(found, dict) else ""
    return problem["state"] == "ConvertModel" and said.startswith("AlgorithmError")


def _readable(error: str, cause: str) -> str:
    """The sentence in a cause, which is a description in JSON when a job or a build has failed."""
    try:
        found = json.loads(cause)
    except ValueError:
        return f"{error}: {cause}"
    if not isinstance(found, dict):
        return f"{error}: {cause}"
    build = found.get("Build")
    if isinstance(build, dict):
        return _of_build(build)
    return str(found.get("FailureReason") or found.get("ExitMessage") or f"{error}: {cause}")


def _of_build(build: dict[str, Any]) -> str:
    """The phase of a CodeBuild build that failed, and what it says.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
    """
    for phase in build.get("Phases") or []:
        if phase.get("PhaseStatus") not in (None, "SUCCEEDED"):
            said = "; ".join(str(context.get("Message")) for context in phase.get("Contexts") or [] if context)
            return f"the build {build.get('Id')} failed in {phase.get('PhaseType')}: {said or phase['PhaseStatus']}"
    return f"the build {build.get('Id')} ended as {build.get('BuildStatus')}"


def from_report(text: bytes) -> Conversion:
    """Read the job's report."""
    try:
        found = json.loads(text)
        version, archive, reason = found["version"], found["archive"], str(found["reason"])
        sha256 = str(archive["sha256"]) if archive else ""
        schema, loaded = bool(found["schema"]), found.get("serve") != "framework"
    except (ValueError, KeyError, TypeError) as error:
        raise ReportInvalid(f"the conversion's report is not valid: {error!r}.") from error
    if version != VERSION:
        raise ReportInvalid(f"the conversion's report has version {version!r}; this function reads {VERSION}.")
    if bool(reason) == bool(sha256) or not (set(sha256) <= _HEX and len(sha256) in (0, 64)):
        raise ReportInvalid("the conversion's report must have either a reason or an archive with its SHA-256.")
    return Conversion(reason[:MAX_REASON], sha256, schema, loaded)


def serving(conversion: Conversion, problem: dict[str, str]) -> str:
    """What serves: `onnx`, else the script in our image (`python`), else in AWS's (`framework`)."""
    if not conversion.reason:
        return "onnx"
    without_image = problem["cause"] and problem["state"] in WITHOUT_IMAGE
    return "framework" if without_image or not conversion.loaded else "python"


def check_allowed(conversion: Conversion, serve: str) -> None:
    """Raise `NotCompiled` when the script is not allowed to take over."""
    if conversion.reason and serve == "onnx":
        raise NotCompiled(
            f"deploy.serve is onnx, and the model is not compiled: {conversion.reason} "
            "With `serve: auto` its script would serve it."
        )
