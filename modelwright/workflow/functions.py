"""What the stack needs to know of each Lambda: handler, size, environment, and which actions on which resources.

A resource is an ARN with `${Name}` for what the stack knows; `FUNCTION_RESOURCES` lists the names. The contract tests
hold this table against the handlers' own `Env` classes and against the state machine's placeholders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

_BUCKET: Final = "${ArtifactBucketArn}"
_TABLE: Final = "${TableArn}"
_KEY: Final = "${KeyArn}"
_SAGEMAKER: Final = "arn:${Partition}:sagemaker:${Region}:${Account}"
_TARGETS: Final = "arn:${Partition}:application-autoscaling:${Region}:${Account}"
_ALARMS: Final = "arn:${Partition}:cloudwatch:${Region}:${Account}:alarm"
_SCALING_ROLE: Final = (
    "arn:${Partition}:iam::${Account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
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
    only_with: Literal["", "autoscaling", "shadow", "compiled"] = ""
    """Of the structure's parts the one that it is for."""
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
    only_with="compiled",
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
    environment=("ENVIRONMENT", "PIPELINE", "ENDPOINT_NAME", "ARTIFACT_BUCKET", "SEVERAL_MODELS"),
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
SCALE_ENDPOINT: Final = Function(
    name="scale_endpoint",
    memory_mib=512,
    timeout_seconds=600,  # it waits up to 480 s for an endpoint that scales just now
    environment=("ENDPOINT_NAME",),
    grants=(Grant(("application-autoscaling:DescribeScalableTargets",), ("*",), "lists have no resource"),),
    deploys=True,
    only_with="autoscaling",
)
JUDGE_SHADOW: Final = Function(
    name="judge_shadow",
    memory_mib=512,
    timeout_seconds=180,
    environment=("ENDPOINT_NAME", "ERROR_PERCENT", "LATENCY_MS"),
    grants=(Grant(("cloudwatch:GetMetricData",), ("*",), "has no resource"),),
    deploys=True,
    only_with="shadow",
)

SCALING: Final = (
    Grant(
        ("application-autoscaling:DescribeScalingPolicies",),
        ("*",),
        "lists have no resource",
    ),
    Grant(
        (
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:DeleteScalingPolicy",
            "application-autoscaling:DeregisterScalableTarget",
        ),
        (f"{_TARGETS}:scalable-target/*",),
        "a target's ARN ends with an id that Auto Scaling chooses; limited to machines of endpoints",
    ),
    # Asked of whoever registers: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
    Grant(
        ("sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"),
        (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",),
        "Auto Scaling changes the endpoint for whoever may",
    ),
    Grant(
        ("sagemaker:DescribeEndpointConfig",),
        (f"{_SAGEMAKER}:endpoint-config/${{RunNames}}",),
        "which machines the variants have",
    ),
    Grant(
        ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
        (
            f"{_ALARMS}:TargetTracking-endpoint/${{EndpointName}}/variant/*",
            f"{_ALARMS}:${{EndpointName}}-from-zero",
        ),
        "Auto Scaling's alarms for whoever may, and the one that starts the first machine",
    ),
    Grant(
        ("iam:CreateServiceLinkedRole",),
        (_SCALING_ROLE,),
        "the first target in an account",
    ),
)
"""What it takes to let an endpoint scale, and to end that."""
_QUEUE: Final = (
    Grant(("s3:PutObject",), (f"{_BUCKET}/async/${{Pipeline}}/input/smoke-test-*",), "lays its request into S3"),
    Grant(
        ("s3:GetObject",),
        tuple(f"{_BUCKET}/async/${{Pipeline}}/{folder}/*" for folder in ("output", "failure")),
        "reads the answer",
    ),
    Grant(("sagemaker:InvokeEndpointAsync",), (f"{_SAGEMAKER}:endpoint/${{EndpointName}}",), "asks the new model"),
    _ENCRYPT,
)
_ARCHIVES: Final = (
    _LIST_ARTIFACTS,
    Grant(("s3:DeleteObject",), (f"{_BUCKET}/models/${{Pipeline}}/multi/*",), "each run's archives have their prefix"),
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
    SCALE_ENDPOINT,
    JUDGE_SHADOW,
)


def functions(
    endpoint: str, *, autoscaling: bool = False, shadow: bool = False, compiled: bool = False
) -> tuple[Function, ...]:
    """The functions that a pipeline with this kind of endpoint needs, each with the grants that it needs there."""
    has = {"": True, "autoscaling": autoscaling, "shadow": shadow, "compiled": compiled}
    wanted = (item for item in FUNCTIONS if (endpoint != "none" or not item.deploys) and has[item.only_with])
    return tuple(_granted(item, endpoint, autoscaling=autoscaling) for item in wanted)


def _granted(item: Function, endpoint: str, *, autoscaling: bool) -> Function:
    """The function with what only this kind of endpoint asks of it."""
    if item is SMOKE_TEST and endpoint == "async":
        asking = "sagemaker:InvokeEndpoint"
        usual = tuple(grant for grant in item.grants if asking not in grant.actions and grant is not _DECRYPT)
        return replace(item, grants=(*usual, *_QUEUE))
    if item is REMOVE_OLD_MODELS and endpoint == "multi-model":
        return replace(item, grants=(*item.grants, *_ARCHIVES))
    if item in (SCALE_ENDPOINT, RESTORE_ENDPOINT) and autoscaling:
        return replace(item, grants=(*item.grants, *SCALING))
    return item


def timeout_of(name: str) -> int:
    """The timeout of the function `name`, in seconds."""
    return next(item.timeout_seconds for item in FUNCTIONS if item.name == name)
