"""The roles that SageMaker takes for a pipeline: of its jobs, its endpoint, its batch transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.workflow.structure import UNGUARDED
from stacks.constructs.roles import HOSTING, JOBS, job_role
from stacks.grants import jobs
from stacks.grants.workflow import watch_alarms

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_sns as sns

    from stacks.pipeline.building import Building
    from stacks.policies import Statement


def job_roles(building: Building, answers: sns.CfnTopic | None) -> dict[str, iam.CfnRole]:
    """Make the roles, by what SageMaker does with them; `answers` is told of an asynchronous endpoint's."""
    of_whom = building.target.pipeline
    return {
        name: job_role(
            building.stack,
            f"{name}Role",
            f"SageMaker's {name.lower()} of {of_whom}",
            JOBS.get(name, HOSTING),
            statements,
        )
        for name, statements in _grants(building, answers).items()
    }


def _grants(building: Building, answers: sns.CfnTopic | None) -> dict[str, tuple[Statement, ...]]:
    target, structure = building.target, building.structure
    processing = jobs.processing(target, compiled=structure.compiled)
    grants = {"Processing": processing, "Training": jobs.training(target)}
    if building.has_endpoint:
        guards = () if structure.endpoint == UNGUARDED else (watch_alarms(),)
        grants["Hosting"] = (*jobs.hosting(target, structure, answers.ref if answers else None), *guards)
    if structure.batch:
        grants["Batch"] = jobs.batch(target)
    return grants
