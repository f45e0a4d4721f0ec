"""What the stack needs to know of each Lambda: handler, size, environment, and which actions on which resources.

A resource is an ARN with `${Name}` for what the stack knows; `FUNCTION_RESOURCES` lists the names. The contract tests
hold this table against the handlers' own `Env` classes and against the state machine's placeholders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BUCKET: Final = "${ArtifactBucketArn}"
_TABLE: Final = "${TableArn}"
_KEY: Final = "${KeyArn}"
_SAGEMAKER: Final = "arn:${Partition}:sagemaker:${Region}:${Account}"
_EXECUTIONS: Final = "arn:${Partition}:states:${Region}:${Account}:execution:${StateMachineName}:*"

FUNCTION_RESOURCES: Final = frozenset(
    {
        "ArtifactBucketArn",
        "TableArn",
        "KeyArn",
        "Partition",
        "Region",
        "Account",
        "Pipeline",
        "EndpointName",
        "RunNames",
    }
    | {"ModelPackageGroupName", "StateMachineName"}
)


@dataclass(frozen=True)
class Grant:
    """Actions on resources that a function needs, and why."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Function:
    """One Lambda of a pipeline."""

    name: str
    memory_mib: int
    timeout_seconds: int
    environment: tuple[str, ...]
    grants: tuple[Grant, ...]
    storage_mib: int = 512
    deploys: bool = False
    """True for what only a pipeline with an endpoint needs."""
    compiles: bool = False
    """True for what only a pipeline needs whose models are compiled."""
    refuses: bool = False
    """True when it raises at what a person gave and can put right: such an error is the run's failure, no defect."""

    @property
    def handler(self) -> str:
        """The handler string; the asset's root is `lambdas/`."""
        return f"{self.name}.handler.handler"

    @property
    def placeholder(self) -> str:
        """The placeholder of its ARN in the state machine's definition."""
        return "".join(word.capitalize() for word in self.name.split("_")) + "FunctionArn"


_DECRYPT = Grant(("kms:Decrypt",), (_KEY,), "reads encrypted objects and items")
_ENCRYPT = Grant(("kms:Decrypt", "kms:GenerateDataKey"), (_KEY,), "reads and writes encrypted objects and items")
_READ_RELEASES = Grant(("s3:GetObject",), (f"{_BUCKET}/releases/${{Pipeline}}/*",), "reads the release")
_LIST_ARTIFACTS = Grant(("s3:ListBucket",), (_BUCKET,), "without it S3 answers 403 for a key that does not exist")

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
                f"{_BUCKET}/{key}"
                for key in ("releases/${Pipeline}/*", "commits/${Pipeline}/*", "defaults/${Pipeline}.json")
            ),
            "resolves the release that the input names",
        ),
        _LIST_ARTIFACTS,
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
            (_TABLE,),
            "takes the event, remembers the merge, counts the day's runs, writes the run",
        ),
        Grant(
            ("states:DescribeExecution",),
            (_EXECUTIONS,),
            "the same merge again is run if the first was stopped",
        ),
        _DECRYPT,
    ),
)
RECORD_METRICS: Final = Function(
    name="record_metrics",
    memory_mib=512,
    timeout_seconds=30,
    refuses=True,
    environment=("PIPELINE", "ENVIRONMENT", "ARTIFACT_BUCKET", "TABLE_NAME"),
    grants=(
        Grant(("s3:GetObject",), (f"{_BUCKET}/runs/${{Pipeline}}/*",), "reads evaluation.json"),
        _LIST_ARTIFACTS,
        Grant(("dynamodb:UpdateItem",), (_TABLE,), "writes the metrics into the run"),
        Grant(("cloudwatch:PutMetricData",), ("*",), "has no resource; limited by cloudwatch:namespace = Modelwright"),
        _DECRYPT,
    ),
)
CHECK_QUALITY_GATE: Final = Function(
    name="check_quality_gate",
    memory_mib=512,
    timeout_seconds=30,
    refuses=True,
    environment=("PIPELINE", "ENVIRONMENT", "TABLE_NAME"),
    grants=(
        Grant(("dynamodb:GetItem",), (_TABLE,), "reads the champion's metrics"),
        Grant(("cloudwatch:PutMetricData",), ("*",), "has no resource; limited by cloudwatch:namespace = Modelwright"),
        _DECRYPT,
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
            tuple(f"{_BUCKET}/{folder}/${{Pipeline}}/*" for folder in ("runs", "code")),
            "reads the trained model and the code",
        ),
        _LIST_ARTIFACTS,
        Grant(
            ("s3:PutObject", "s3:AbortMultipartUpload"),
            (f"{_BUCKET}/models/${{Pipeline}}/*",),
            "writes the packaged model; a large one in parts",
        ),
        _ENCRYPT,
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
            (f"{_BUCKET}/runs/${{Pipeline}}/*/compiled/*",),
            "reads the conversion's report, the compiled model and its schema",
        ),
        _LIST_ARTIFACTS,
        Grant(
            ("s3:PutObject", "s3:AbortMultipartUpload"),
            (f"{_BUCKET}/models/${{Pipeline}}/*",),
            "writes the compiled model and its schema; a large one in parts",
        ),
        Grant(("dynamodb:UpdateItem",), (_TABLE,), "writes into the run what serves the model, and why"),
        _ENCRYPT,
    ),
    compiles=True,
)
ACQUIRE_DEPLOYMENT: Final = Function(
    name="acquire_deployment",
    memory_mib=512,
    timeout_seconds=30,
    environment=("PIPELINE", "TABLE_NAME", "ENDPOINT_NAME", "LEASE_SECONDS"),
    grants=(
        Grant(("dynamodb:GetItem", "dynamodb:UpdateItem"), (_TABLE,), "takes the lease, reads the champion"),
        Grant(
            ("states:DescribeExecution",),
            (_EXECUTIONS,),
            "a lease whose holder was stopped is free",
        ),
        _DECRYPT,
    ),
    deploys=True,
)
WATCH_ENDPOINT: Final = Function(
    name="watch_endpoint",
    memory_mib=512,
    timeout_seconds=60,
    environment=("ENDPOINT_NAME",),
    grants=(
        Grant(
            ("sagemaker:DescribeEndpoint",),
            (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",),
            "looks how far the deployment is",
        ),
    ),
    deploys=True,
)
SMOKE_TEST: Final = Function(
    name="smoke_test",
    memory_mib=512,
    timeout_seconds=240,
    refuses=True,
    environment=("PIPELINE", "ARTIFACT_BUCKET", "ENDPOINT_NAME"),
    grants=(
        _READ_RELEASES,
        _LIST_ARTIFACTS,
        Grant(("sagemaker:InvokeEndpoint",), (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",), "asks the new model"),
        _DECRYPT,
    ),
    deploys=True,
)
PROMOTE_MODEL: Final = Function(
    name="promote_model",
    memory_mib=512,
    timeout_seconds=60,
    environment=("PIPELINE", "TABLE_NAME", "ENDPOINT_NAME"),
    grants=(
        Grant(
            ("sagemaker:UpdateModelPackage",),
            (f"{_SAGEMAKER}:model-package/${{ModelPackageGroupName}}/*",),
            "approves the package",
        ),
        Grant(
            ("dynamodb:GetItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            (_TABLE,),
            "one transaction: the lease is still held, the champion moves, the run is deployed",
        ),
        _DECRYPT,
    ),
    deploys=True,
)
REMOVE_OLD_MODELS: Final = Function(
    name="remove_old_models",
    memory_mib=512,
    timeout_seconds=120,
    environment=("ENVIRONMENT", "PIPELINE", "ENDPOINT_NAME"),
    grants=(
        Grant(("sagemaker:ListModels", "sagemaker:ListEndpointConfigs"), ("*",), "lists have no resource"),
        Grant(("sagemaker:DescribeEndpoint",), (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",), "what serves stays"),
        Grant(
            ("sagemaker:DescribeEndpointConfig", "sagemaker:DeleteEndpointConfig"),
            (f"{_SAGEMAKER}:endpoint-config/${{RunNames}}",),
            "deletes what is beyond the last N",
        ),
        Grant(("sagemaker:DeleteModel",), (f"{_SAGEMAKER}:model/${{RunNames}}",), "deletes what is beyond the last N"),
    ),
    deploys=True,
)
RESTORE_ENDPOINT: Final = Function(
    name="restore_endpoint",
    memory_mib=512,
    timeout_seconds=60,
    environment=("PIPELINE", "TABLE_NAME", "ENDPOINT_NAME"),
    grants=(
        Grant(
            ("sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"),
            (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",),
            "looks at the endpoint, deletes a first deployment",
        ),
        Grant(("sagemaker:AddTags",), (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",), "of one that is made anew"),
        Grant(
            ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"),
            (f"{_SAGEMAKER}:endpoint/${{EndpointName}}", f"{_SAGEMAKER}:endpoint-config/${{RunNames}}"),
            "puts back what served before: both the endpoint and its configuration are asked for",
        ),
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (KmsKeyId)
        Grant(("kms:CreateGrant",), (_KEY,), "lends the key to the volumes of the machines that come back"),
        Grant(("kms:DescribeKey",), (_KEY,), "asked of whoever lends the key"),
        Grant(("dynamodb:GetItem",), (_TABLE,), "is the lease still this run's, is it the champion already?"),
        Grant(
            ("sagemaker:UpdateModelPackage",),
            (f"{_SAGEMAKER}:model-package/${{ModelPackageGroupName}}/*",),
            "a package that could not be deployed is rejected, with the reason",
        ),
        _DECRYPT,
    ),
    deploys=True,
)

FUNCTIONS: Final = (
    PREPARE_RUN,
    RECORD_METRICS,
    CHECK_QUALITY_GATE,
    PACKAGE_MODEL,
    CHOOSE_MODEL,
    ACQUIRE_DEPLOYMENT,
    WATCH_ENDPOINT,
    SMOKE_TEST,
    PROMOTE_MODEL,
    REMOVE_OLD_MODELS,
    RESTORE_ENDPOINT,
)


def functions(endpoint: str, *, compiled: bool = False) -> tuple[Function, ...]:
    """The functions that a pipeline with this kind of endpoint needs."""
    found = (item for item in FUNCTIONS if endpoint != "none" or not item.deploys)
    return tuple(item for item in found if compiled or not item.compiles)


def timeout_of(name: str) -> int:
    """The timeout of the function `name`, in seconds."""
    return next(item.timeout_seconds for item in FUNCTIONS if item.name == name)
