"""What the jobs are given, from a release. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from prepare_run import hosting
from shared.errors import InvalidOverride, ReleaseTooLarge

if TYPE_CHECKING:
    from prepare_run.domain import RunRequest

CODE_CHANNEL_FILE = "/opt/ml/input/data/code/code.tar.gz"
CODE_INPUT = "/opt/ml/processing/input/code"
JOB_OVERHEAD_SECONDS = 3600  # provisioning, pulling the image, down- and uploading, around a job's own time

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html#API_CreateTrainingJob_RequestSyntax
MAX_HYPERPARAMETERS = 100
MAX_HYPERPARAMETER = 2500
# Bytes of JSON of the plan's parts that a person writes. All of it is one variable, which ends at 256 KiB, and
# Describe…Job repeats the hyperparameters in a task's result, which ends there, too.
# https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html (Limits)
LARGEST = {"hyperparameters": 100_000, "entrypoint": 32_768, "gate": 24_576, "content_types": 2048}

# Families with local NVMe disks, encrypted by hardware: a key for volumes is refused there. The letter d after the
# generation says so (m5d, c6gd, p4d), and some families have such disks without it.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-volumes.html
_NVME_WITHOUT_D = frozenset(
    {"dl1", "g5", "g6", "g6e", "g7", "g7e", "p5", "p5e", "p5en", "p6", "p6e", "trn1", "trn1n", "trn2"}
)
_NVME_D = re.compile(r"[a-z]+[0-9][a-z]*d[a-z]*")


def has_nvme(instance: str) -> bool:
    """Whether the disks of `ml.<family>.<size>` are local and encrypted by hardware."""
    family = instance.split(".")[1].partition("-")[0]
    return family in _NVME_WITHOUT_D or _NVME_D.fullmatch(family) is not None


def volume_key(instance: str, key_arn: str, field: str) -> dict[str, str]:
    """The request's field with the key for volumes; empty where the instance refuses one or there is none."""
    return {} if has_nvme(instance) or not key_arn else {field: key_arn}


def hyperparameters(manifest: dict[str, Any], overrides: dict[str, str]) -> dict[str, str]:
    """The release's hyperparameters with the overrides in their place, and where the toolkit finds the script."""
    known: dict[str, str] = manifest["train"]["hyperparameters"]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise InvalidOverride(
            f"{', '.join(unknown)}: no hyperparameter of {manifest['pipeline']} "
            f"(pipeline.yaml, train.hyperparameters); known are {', '.join(sorted(known)) or 'none'}."
        )
    merged = {**known, **overrides}
    long = sorted(name for name, value in merged.items() if len(value) > MAX_HYPERPARAMETER)
    if long:
        raise InvalidOverride(f"{', '.join(long)}: longer than {MAX_HYPERPARAMETER} characters.")
    own = {"sagemaker_program": manifest["train"]["script"], "sagemaker_submit_directory": CODE_CHANNEL_FILE}
    if len(merged) + len(own) > MAX_HYPERPARAMETERS:
        raise InvalidOverride(f"{len(merged)} hyperparameters; at most {MAX_HYPERPARAMETERS - len(own)} are possible.")
    found, most = {**merged, **own}, LARGEST["hyperparameters"]
    if _bytes(found) > most:
        raise InvalidOverride(f"the hyperparameters have {_bytes(found)} bytes of JSON; at most {most} are possible.")
    return found


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _check_size(plan: dict[str, Any]) -> None:
    """Refuse what a state could not pass on; Step Functions' own error for it cannot be caught."""
    parts = {
        "process.arguments": ("entrypoint", plan["process"]["entrypoint"]),
        "evaluate.arguments": ("entrypoint", plan["evaluate"]["entrypoint"]),
        "gate": ("gate", plan["gate"]),
        "deploy.content_types": ("content_types", plan["deploy"]["content_types"]),
    }
    sizes = {name: (_bytes(value), LARGEST[kind]) for name, (kind, value) in parts.items()}
    wrong = [
        f"{name} has {size} bytes of JSON, at most {most} are possible"
        for name, (size, most) in sizes.items()
        if size > most
    ]
    if wrong:
        raise ReleaseTooLarge(f"{'; '.join(wrong)}. Shorten it in pipeline.yaml.")


def entrypoint(script: str, arguments: list[str], *, requirements: bool) -> list[str]:
    """The command of a processing container; requirements are installed by a shell line before it."""
    command = ["python3", f"{CODE_INPUT}/{script}", *arguments]
    if not requirements:
        return command
    install = f'python3 -m pip install --quiet -r {CODE_INPUT}/requirements.txt && exec "$@"'
    return ["/bin/sh", "-c", install, "sh", *command]


def _job(settings: dict[str, Any], key_arn: str) -> dict[str, Any]:
    taken = ("image", "instance", "instance_count", "volume_gib", "max_runtime_seconds")
    return {
        **{name: settings[name] for name in taken},
        "timeout_seconds": settings["max_runtime_seconds"] + JOB_OVERHEAD_SECONDS,
        "volume_key": volume_key(settings["instance"], key_arn, "VolumeKmsKeyId"),
    }


def _processing(settings: dict[str, Any], key_arn: str, *, requirements: bool) -> dict[str, Any]:
    command = entrypoint(settings["script"], settings.get("arguments", []), requirements=requirements)
    return {**_job(settings, key_arn), "entrypoint": command}


def framework_version(image: str) -> str:
    """The framework's version in the URI of AWS's image: `1.9-0` of `…/sagemaker-scikit-learn:1.9-0-cpu-py3`."""
    return image.rpartition(":")[2].partition("-cpu-")[0]


def _conversion(manifest: dict[str, Any], key_arn: str) -> dict[str, Any]:
    """The job that compiles the model, on the machine that judged it; its image is the template's."""
    found = _job(manifest["evaluate"], key_arn)
    del found["image"]
    return {**found, "framework": framework_version(manifest["train"]["image"])}


def _deployment(
    settings: dict[str, Any], key_arn: str, *, isolated: bool, bucket: str, pipeline: str
) -> dict[str, Any]:
    """One key for all volumes of an endpoint: none where a machine's disks are encrypted by hardware."""
    types = hosting.instance_types(settings)
    key = {} if not types or any(map(has_nvme, types)) or not key_arn else {"KmsKeyId": key_arn}
    taken = ("image", "keep", "content_types")
    return {
        **{name: settings.get(name) for name in taken},
        "serve": settings.get("serve") or "python",
        "volume_key": key,
        **hosting.hosting(settings, isolated=isolated, bucket=bucket, pipeline=pipeline),
    }


def make_plan(
    manifest: dict[str, Any], request: RunRequest, run: dict[str, Any], *, bucket: str, key_arn: str
) -> dict[str, Any]:
    """Everything that the states need: names, addresses, images, booleans. No object that could grow."""
    requirements = bool(manifest["code"]["requirements"])
    source = {"uri": request.data, "sha256": "not-hashed"} if request.data else manifest["data"]
    found = {
        "status": "Ready",
        "run": {
            **run,
            "commit": request.commit or manifest.get("commit") or "uncommitted",
            "prefix": f"s3://{bucket}/runs/{manifest['pipeline']}/{run['id']}/",
            "data": {"uri": source["uri"], "sha256": source.get("sha256") or "not-hashed"},
            "code": {name: manifest["code"][name] for name in ("uri", "files", "sha256")},
        },
        "isolated": not requirements,
        "process": _processing(manifest["process"], key_arn, requirements=requirements),
        "train": {**_job(manifest["train"], key_arn), "hyperparameters": hyperparameters(manifest, request.overrides)},
        "evaluate": _processing(manifest["evaluate"], key_arn, requirements=requirements),
        "convert": _conversion(manifest, key_arn),
        "gate": manifest["gate"],
        "deploy": _deployment(
            manifest["deploy"], key_arn, isolated=not requirements, bucket=bucket, pipeline=manifest["pipeline"]
        ),
    }
    _check_size(found)
    return found
