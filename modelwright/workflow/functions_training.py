"""The functions up to the registry: of every pipeline."""

from __future__ import annotations

from typing import Final

from modelwright.workflow.function import BUCKET, DECRYPT, ENCRYPT, EXECUTIONS, LIST_ARTIFACTS, TABLE, Function, Grant

PREPARE_RUN: Final = Function(
    name="prepare_run",
    memory_mib=512,
    timeout_seconds=30,
    refuses=True,
    environment=(
        *("PIPELINE", "ENVIRONMENT", "ARTIFACT_BUCKET", "TABLE_NAME", "STRUCTURE"),
        *("DATA_PREFIX", "MAX_RUNS_PER_DAY", "KEY_ARN"),
    ),
    grants=(
        Grant(
            ("s3:GetObject",),
            tuple(
                f"{BUCKET}/{key}"
                for key in ("releases/${Pipeline}/*", "commits/${Pipeline}/*", "defaults/${Pipeline}.json")
            ),
            "resolves the release that the input names",
        ),
        LIST_ARTIFACTS,
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
            (TABLE,),
            "takes the event, remembers the merge, counts the day's runs, writes the run",
        ),
        Grant(
            ("states:DescribeExecution",),
            (EXECUTIONS,),
            "the same merge again is run if the first was stopped",
        ),
        DECRYPT,
    ),
)
RECORD_METRICS: Final = Function(
    name="record_metrics",
    memory_mib=512,
    timeout_seconds=30,
    refuses=True,
    environment=("PIPELINE", "ENVIRONMENT", "ARTIFACT_BUCKET", "TABLE_NAME"),
    grants=(
        Grant(("s3:GetObject",), (f"{BUCKET}/runs/${{Pipeline}}/*",), "reads evaluation.json"),
        LIST_ARTIFACTS,
        Grant(("dynamodb:UpdateItem",), (TABLE,), "writes the metrics into the run"),
        Grant(("cloudwatch:PutMetricData",), ("*",), "has no resource; limited by cloudwatch:namespace = Modelwright"),
        DECRYPT,
    ),
)
CHECK_QUALITY_GATE: Final = Function(
    name="check_quality_gate",
    memory_mib=512,
    timeout_seconds=30,
    refuses=True,
    environment=("PIPELINE", "ENVIRONMENT", "TABLE_NAME"),
    grants=(
        Grant(("dynamodb:GetItem",), (TABLE,), "reads the champion's metrics"),
        Grant(("cloudwatch:PutMetricData",), ("*",), "has no resource; limited by cloudwatch:namespace = Modelwright"),
        DECRYPT,
    ),
)
PACKAGE_MODEL: Final = Function(
    name="package_model",
    memory_mib=3008,
    timeout_seconds=900,
    refuses=True,
    environment=("PIPELINE", "ARTIFACT_BUCKET", "KEY_ARN"),
    storage_mib=10_240,
    grants=(
        Grant(
            ("s3:GetObject",),
            tuple(f"{BUCKET}/{folder}/${{Pipeline}}/*" for folder in ("runs", "code")),
            "reads the trained model and the code",
        ),
        LIST_ARTIFACTS,
        Grant(
            ("s3:PutObject", "s3:AbortMultipartUpload"),
            (f"{BUCKET}/models/${{Pipeline}}/*",),
            "writes the packaged model; a large one in parts",
        ),
        ENCRYPT,
    ),
)
CHOOSE_MODEL: Final = Function(
    name="choose_model",
    memory_mib=1024,
    timeout_seconds=300,
    refuses=True,
    environment=("PIPELINE", "ARTIFACT_BUCKET", "TABLE_NAME", "KEY_ARN"),
    storage_mib=4096,
    grants=(
        Grant(
            ("s3:GetObject",),
            (f"{BUCKET}/runs/${{Pipeline}}/*/compiled/*",),
            "reads the conversion's report, the compiled model and its schema",
        ),
        LIST_ARTIFACTS,
        Grant(
            ("s3:PutObject", "s3:AbortMultipartUpload"),
            (f"{BUCKET}/models/${{Pipeline}}/*",),
            "writes the compiled model and its schema; a large one in parts",
        ),
        Grant(("dynamodb:UpdateItem",), (TABLE,), "writes into the run what serves the model, and why"),
        ENCRYPT,
    ),
    only_with="compiled",
)
