"""What who asks about whole files needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.caller_policy.statements import (
    Statement,
    allow,
    ask_registry,
    batch_jobs,
    decrypt,
    encrypt,
    find_champion,
    find_stacks,
    job_log,
    list_objects,
    models,
    read_items,
)
from modelwright.client.deployment import stack_name

if TYPE_CHECKING:
    from modelwright.client.caller_policy.place import Place


def batch_policy(place: Place) -> list[Statement]:
    """For `batch PIPELINE --aws`: the model with the role of batch transform, jobs, what they read and write.

    That role is handed to SageMaker, so whoever calls may pass it, and no other.
    """
    return [
        find_stacks(place),
        *_find_the_model(place),
        *_run_jobs(place),
        *_files(place),
        allow("ReadWhyAJobFailed", ["logs:FilterLogEvents"], [job_log(place, "Transform")]),
        *encrypt(place),
        *read_items(place),
        *decrypt(place, "DecryptFiles"),
    ]


def _find_the_model(place: Place) -> list[Statement]:
    about = [f"{place.artifacts}/{what}/{each}/*" for each in place.pipelines for what in ("models", "releases")]
    return [
        find_champion(place),
        ask_registry(place),
        allow("ListTheRegistry", ["sagemaker:ListModelPackages"], ["*"]),
        allow("ReadAboutTheModel", ["s3:GetObject"], about),
    ]


def _run_jobs(place: Place) -> list[Statement]:
    """The model that jobs take, the jobs, and the role that CloudFormation named, below `role_path`."""
    making = (f"sagemaker:{verb}Model" for verb in ("Create", "Delete", "Describe"))
    running = (f"sagemaker:{verb}TransformJob" for verb in ("Create", "Describe", "Stop"))
    made, jobs = models(place), batch_jobs(place)
    roles = [
        f"arn:{place.partition}:iam::{place.account}:role/*{stack_name(place.environment, each)}-BatchRole-*"
        for each in place.pipelines
    ]
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return [
        allow("MakeItsModel", making, made),
        allow("RunJobs", running, jobs),
        allow("TagThem", ["sagemaker:AddTags"], [*made, *jobs]),
        allow("HandOverTheRole", ["iam:PassRole"], roles, to_sagemaker),
    ]


def _files(place: Place) -> list[Statement]:
    own = [f"{place.artifacts}/batch/{each}/*" for each in place.pipelines]
    incoming = [f"incoming/{each}/*" for each in place.pipelines]
    folders = [f"{what}/{each}/*" for each in place.pipelines for what in ("batch", "models", "releases")]
    data = place.bucket("data")
    return [
        allow("BringAndFetchFiles", ["s3:GetObject", "s3:PutObject"], own),
        allow("ReadWhatProducersBring", ["s3:GetObject"], [f"{data}/{prefix}" for prefix in incoming]),
        list_objects("ListFiles", place.artifacts, folders),
        list_objects("ListWhatProducersBring", data, incoming),
    ]
