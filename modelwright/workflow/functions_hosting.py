"""The functions that deploy, and what more they may do with some kinds of endpoint."""

from __future__ import annotations

from typing import Final

from modelwright.workflow.function import (
    ALARMS,
    BUCKET,
    DECRYPT,
    ENCRYPT,
    EXECUTIONS,
    KEY,
    LIST_ARTIFACTS,
    READ_RELEASES,
    SAGEMAKER,
    SCALING_ROLE,
    TABLE,
    TARGETS,
    Function,
    Grant,
)

ACQUIRE_DEPLOYMENT: Final = Function(
    name="acquire_deployment",
    memory_mib=512,
    timeout_seconds=30,
    environment=("PIPELINE", "TABLE_NAME", "ENDPOINT_NAME", "LEASE_SECONDS"),
    grants=(
        Grant(("dynamodb:GetItem", "dynamodb:UpdateItem"), (TABLE,), "takes the lease, reads the champion"),
        Grant(
            ("states:DescribeExecution",),
            (EXECUTIONS,),
            "a lease whose holder was stopped is free",
        ),
        DECRYPT,
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
            (f"{SAGEMAKER}:endpoint/${{EndpointName}}",),
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
        READ_RELEASES,
        LIST_ARTIFACTS,
        Grant(("sagemaker:InvokeEndpoint",), (f"{SAGEMAKER}:endpoint/${{EndpointName}}",), "asks the new model"),
        DECRYPT,
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
            (f"{SAGEMAKER}:model-package/${{ModelPackageGroupName}}/*",),
            "approves the package",
        ),
        Grant(
            ("dynamodb:GetItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            (TABLE,),
            "one transaction: the lease is still held, the champion moves, the run is deployed",
        ),
        DECRYPT,
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
        Grant(("sagemaker:DescribeEndpoint",), (f"{SAGEMAKER}:endpoint/${{EndpointName}}",), "what serves stays"),
        Grant(
            ("sagemaker:DescribeEndpointConfig", "sagemaker:DeleteEndpointConfig"),
            (f"{SAGEMAKER}:endpoint-config/${{RunNames}}",),
            "deletes what is beyond the last N",
        ),
        Grant(("sagemaker:DeleteModel",), (f"{SAGEMAKER}:model/${{RunNames}}",), "deletes what is beyond the last N"),
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
            (f"{SAGEMAKER}:endpoint/${{EndpointName}}",),
            "looks at the endpoint, deletes a first deployment",
        ),
        Grant(("sagemaker:AddTags",), (f"{SAGEMAKER}:endpoint/${{EndpointName}}",), "of one that is made anew"),
        Grant(
            ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"),
            (f"{SAGEMAKER}:endpoint/${{EndpointName}}", f"{SAGEMAKER}:endpoint-config/${{RunNames}}"),
            "puts back what served before: both the endpoint and its configuration are asked for",
        ),
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (KmsKeyId)
        Grant(("kms:CreateGrant",), (KEY,), "lends the key to the volumes of the machines that come back"),
        Grant(("kms:DescribeKey",), (KEY,), "asked of whoever lends the key"),
        Grant(("dynamodb:GetItem",), (TABLE,), "is the lease still this run's, is it the champion already?"),
        Grant(
            ("sagemaker:UpdateModelPackage",),
            (f"{SAGEMAKER}:model-package/${{ModelPackageGroupName}}/*",),
            "a package that could not be deployed is rejected, with the reason",
        ),
        DECRYPT,
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
        (f"{TARGETS}:scalable-target/*",),
        "a target's ARN ends with an id that Auto Scaling chooses; limited to machines of endpoints",
    ),
    # Asked of whoever registers: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
    Grant(
        ("sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"),
        (f"{SAGEMAKER}:endpoint/${{EndpointName}}",),
        "Auto Scaling changes the endpoint for whoever may",
    ),
    Grant(
        ("sagemaker:DescribeEndpointConfig",),
        (f"{SAGEMAKER}:endpoint-config/${{RunNames}}",),
        "which machines the variants have",
    ),
    Grant(
        ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
        (
            f"{ALARMS}:TargetTracking-endpoint/${{EndpointName}}/variant/*",
            f"{ALARMS}:${{EndpointName}}-from-zero",
        ),
        "Auto Scaling's alarms for whoever may, and the one that starts the first machine",
    ),
    Grant(
        ("iam:CreateServiceLinkedRole",),
        (SCALING_ROLE,),
        "the first target in an account",
    ),
)
"""What it takes to let an endpoint scale, and to end that."""
QUEUE: Final = (
    Grant(("s3:PutObject",), (f"{BUCKET}/async/${{Pipeline}}/input/smoke-test-*",), "lays its request into S3"),
    Grant(
        ("s3:GetObject",),
        tuple(f"{BUCKET}/async/${{Pipeline}}/{folder}/*" for folder in ("output", "failure")),
        "reads the answer",
    ),
    Grant(("sagemaker:InvokeEndpointAsync",), (f"{SAGEMAKER}:endpoint/${{EndpointName}}",), "asks the new model"),
    ENCRYPT,
)
ARCHIVES: Final = (
    LIST_ARTIFACTS,
    Grant(("s3:DeleteObject",), (f"{BUCKET}/models/${{Pipeline}}/multi/*",), "each run's archives have their prefix"),
)
