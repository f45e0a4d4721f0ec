"""How large what travels through a state machine may be: bytes of JSON, field by field.

Each bound is somebody's limit: AWS's, which refuses what is longer, or a function's own, which raises. A contract test
holds the table against the functions. `modelwright synth --check` sums it up over a definition: a state's input,
output and variables may each have 256 KiB, and an error for more cannot be caught.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (States.DataLimitExceeded)
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html (Limits)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Union

Size = Union[int, Mapping[str, "Size"]]  # noqa: UP007 # a recursive alias cannot be written with `|` before 3.12
"""Of a value whose fields matter, each field's."""

EXECUTION_ARN: Final = 300  # names have at most 80 characters
RUN_ID: Final = 14
SHA256: Final = 66
TIME: Final = 40
NUMBER: Final = 26
FLAG: Final = 5
OUR_S3_URI: Final = 400  # bucket 63, folders and names of ours
S3_URI: Final = 2100  # a key has at most 1024 bytes, each of which JSON may write as two
IMAGE: Final = 260
INSTANCE: Final = 40
VARIANT: Final = 300
"""A fleet: two names of at most 63 characters, a type, two numbers; or a serverless size."""
KEY_ARN: Final = 2100  # KmsKeyId: at most 2048 characters
CAUSE: Final = (
    4 * 32_768
)  # 32,768 characters: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
ERROR_NAME: Final = 4 * 256
STATUS_TEXT: Final = 6 * 1024  # FailureReason: 1024 characters of whatever language

HYPERPARAMETERS: Final = 100_000
"""`lambdas/prepare_run/plan.py` refuses more, as it does for the next three."""
ENTRYPOINT: Final = 32_768
GATE: Final = 24_576
CONTENT_TYPES: Final = 2048
MODELS: Final = 100 * 66
"""At most 100 with names of at most 63 characters: `lambdas/package_model/archive.py`."""
METRICS: Final = 100 * (64 + 4 + NUMBER)
"""At most 100 with names of at most 64 characters: `lambdas/record_metrics/domain.py`."""
REMOVED: Final = 200
"""Models and configurations that go at a time, with 300 characters for what stayed: `lambdas/remove_old_models`."""

_JOB: Final[Mapping[str, Size]] = {
    "image": IMAGE,
    "instance": INSTANCE,
    "instance_count": NUMBER,
    "volume_gib": NUMBER,
    "max_runtime_seconds": NUMBER,
    "timeout_seconds": NUMBER,
    "volume_key": KEY_ARN,
}
_RUN: Final[Mapping[str, Size]] = {
    "id": RUN_ID,
    "release": SHA256,
    "started_at": TIME,
    "commit": SHA256,
    "prefix": OUR_S3_URI,
    "data": {"uri": S3_URI, "sha256": SHA256},
    "code": {"uri": OUR_S3_URI, "files": OUR_S3_URI, "sha256": SHA256},
}
ANSWERS: Final[Mapping[str, Size]] = {
    "prepare_run": {
        "status": 16,
        "of": EXECUTION_ARN,
        "run": _RUN,
        "isolated": FLAG,
        "process": {**_JOB, "entrypoint": ENTRYPOINT},
        "train": {**_JOB, "hyperparameters": HYPERPARAMETERS},
        "evaluate": {**_JOB, "entrypoint": ENTRYPOINT},
        "convert": {**{name: size for name, size in _JOB.items() if name != "image"}, "framework": 32},
        "gate": GATE,
        "deploy": {
            "image": IMAGE,
            "serve": 12,
            "keep": NUMBER,
            "content_types": CONTENT_TYPES,
            "volume_key": KEY_ARN,
            "kind": 16,
            "variants": 10 * VARIANT,
            "isolated": FLAG,
            "routing": 200,
            "capture": {"percent": NUMBER, "uri": OUR_S3_URI},
            "async": {"concurrent_per_instance": NUMBER, "output": OUR_S3_URI, "failure": OUR_S3_URI},
            "autoscaling": 300,
            "shadow": {"variant": {"VariantName": 65, "rest": VARIANT}, "share": NUMBER, "seconds": NUMBER},
        },
    },
    "record_metrics": {"metrics": METRICS},
    # A clause comes back with its text, two numbers and a note; the shortest clause has some 60 bytes itself.
    "check_quality_gate": {"passed": FLAG, "clauses": 4 * GATE},
    "package_model": {
        "uri": OUR_S3_URI,
        "sha256": SHA256,
        "files_sha256": SHA256,
        "bytes": NUMBER,
        "folder": OUR_S3_URI,
        "names": MODELS,
    },
    "choose_model": {
        "serve": 12,
        "uri": OUR_S3_URI,
        "reason": 6 * 1000,
        **dict.fromkeys(("sha256", "python_sha256", "files_sha256"), SHA256),
    },
    "acquire_deployment": {"status": 16, "holder": EXECUTION_ARN, "fence": NUMBER, "champion": RUN_ID},
    "watch_endpoint": {"outcome": 32, "status": 32, "endpointConfig": 65, "reason": STATUS_TEXT},
    "smoke_test": {"rows": NUMBER, "predictions": NUMBER, "contentType": 300},
    "promote_model": {"champion": RUN_ID, "modelPackageArn": 2050},
    "remove_old_models": {
        "models": REMOVED // 2 * 66,
        "endpointConfigs": REMOVED // 2 * 66,
        "left": REMOVED * 2 * 300,
    },
    "restore_endpoint": {"status": 2 * STATUS_TEXT},
    # A target has two policies of some 500 bytes at most, unless a person made others.
    "scale_endpoint": {"found": FLAG, "targets": 10 * 4096, "retained": 300}
    | dict.fromkeys(("variants", "min", "max"), NUMBER),
    "judge_shadow": {
        **dict.fromkeys(("requests", "errors", "latencyMs"), NUMBER),
        "good": FLAG,
        "reason": 1024,
    },
}
"""What each function answers at most."""

CONTEXT: Final[Mapping[str, Size]] = {
    "Execution": {"Id": EXECUTION_ARN, "Name": 82, "StartTime": TIME},
    "State": {"Name": 82, "EnteredTime": TIME, "RetryCount": NUMBER},
}
"""`$states.context`: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
ERROR_OUTPUT: Final[Mapping[str, Size]] = {"Error": ERROR_NAME, "Cause": CAUSE}
INPUT: Final = 128 * 1024
"""What triggers and the command line send: hyperparameters to override, and texts of known length."""
API_ANSWER: Final = 4096
"""What an API answers beside the fields that are asked for: headers, an id."""
DESCRIPTION: Final = 32 * 1024
"""What Describe…Job says beside what the job was asked to be: times, transitions, up to 40 metrics, a reason."""
