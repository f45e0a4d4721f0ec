"""In which state the stacks are: what a deploy could not change, what nobody's folder stands for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import (
    describe_stack,
    environment_stacks,
    pipeline_of,
    stack_name,
    stack_names,
)
from modelwright.client.deploys.stack_states import IN_PROGRESS, next_step
from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.releases.release import Destination, release_of_folder
from modelwright.client.releases.uploads import exists

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.config import PipelineSettings


def check_stacks(about: Examination) -> Iterator[Finding]:
    """The stacks of this environment: those that a deploy would change, and those that it would leave alone."""
    listed = environment_stacks(about.session, about.settings.name)
    wanted = dict.fromkeys(name for pipeline in about.pipelines for name in stack_names(about.settings.name, pipeline))
    for name in wanted:
        yield _judge(about, name, listed.get(name))
    orphans = _orphans(about, listed)
    for pipeline, names in orphans.items():
        yield warning(
            "stacks",
            f"{' and '.join(names)}: deployed, but there is no folder training_code/{pipeline}; nothing changes them.",
            f"Bring the folder back (`git log -- training_code/{pipeline}`), or remove what costs: "
            f"`modelwright destroy {pipeline} --aws --env {about.settings.name}`.",
        )
    yield from _renamed(about, listed, orphans)


def _judge(about: Examination, name: str, summary: Mapping[str, Any] | None) -> Finding:
    if summary is None:
        return ok("stacks", f"{name}: not there yet.")
    status, reason = summary["StackStatus"], summary.get("StackStatusReason", "")
    step = next_step(name, status, about.settings.name)
    if status == "ROLLBACK_COMPLETE":
        return _never_made(about, name)
    if step is None:
        return ok("stacks", f"{name}: {status}.")
    if status == "REVIEW_IN_PROGRESS":
        return warning("stacks", f"{name}: {status}: somebody prepared a change and did not execute it.", step)
    what = "another deploy or removal of it is under way" if status in IN_PROGRESS else "a deploy could not change it"
    because = f" ({reason})" if reason else ""
    return failure("stacks", f"{name} is {status}{because}: {what}.", step)


def _never_made(about: Examination, name: str) -> Finding:
    """CDK removes such a stack before it makes it again, which termination protection forbids."""
    what = f"{name} is ROLLBACK_COMPLETE: its first deploy failed, and nothing of it is there"
    if (describe_stack(about.session, name) or {}).get("EnableTerminationProtection"):
        command = (
            f"aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {name}"
        )
        return failure("stacks", f"{what}; it is protected from being removed.", f"`{command}`, then deploy again.")
    return warning("stacks", f"{what}.", "A deploy removes it and makes it anew.")


def _orphans(about: Examination, listed: Mapping[str, Any]) -> dict[str, list[str]]:
    """Stacks of pipelines that have no folder, by pipeline."""
    found: dict[str, list[str]] = {}
    for name in sorted(listed):
        pipeline = pipeline_of(about.settings.name, name)
        if pipeline and pipeline not in about.project.pipelines:
            found.setdefault(pipeline, []).append(name)
    return found


def _renamed(about: Examination, listed: Mapping[str, Any], orphans: Mapping[str, list[str]]) -> Iterator[Finding]:
    """A pipeline that is not deployed and whose scripts another one ran that has no folder any more."""
    for new, pipeline in about.pipelines.items():
        if stack_name(about.settings.name, new) in listed:
            continue
        for old in orphans:
            if _ran(about, old, pipeline):
                yield warning(
                    "stacks",
                    f"training_code/{new} has the very scripts that {old} ran: it was renamed. Runs, models, endpoint "
                    f"and schedule of {old} stay where they are; {new} begins anew.",
                    f"Give the folder its old name back, or deploy {new} and then "
                    f"`modelwright destroy {old} --aws --env {about.settings.name}`.",
                )


def _ran(about: Examination, old: str, pipeline: PipelineSettings) -> bool:
    """Whether a release of `old` had the scripts of this folder: they are named by their content."""
    stack = describe_stack(about.session, stack_name(about.settings.name, old)) or {}
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
    bucket = outputs.get("ArtifactBucketName")
    if not bucket:
        return False
    code = release_of_folder(pipeline, Destination(about.settings.region, bucket)).manifest.code.sha256
    return exists(about.session.client("s3"), bucket, f"code/{old}/{code}/code.tar.gz")
