"""Grants that nothing in the local cloud asks for, each with its reason: a name ends with what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRACES = "segments go to X-Ray, which the local cloud does not have"
_TELEMETRY = f"{_TRACES}; AWS asks for PutTraceSegments alone when a function is made"
_MACHINE_METRICS = (
    "how busy a job's machine is: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html; "
    "here a job is a process on the user's own machine"
)
_ABORTED = "asked when an upload in parts is given up midway; here a job's outputs are moved, and models are small"

_WHOSE = (
    "AWS asks it of 'the IAM role that you specify in your CreateEndpoint, UpdateEndpoint requests', which "
    "name none: "
    "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html; here the caller "
    "lends the key"
)
_ENCRYPT = (
    "AWS's page asks for it when an output's key is named: "
    "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html; S3 itself "
    "needs kms:GenerateDataKey, which is checked"
)

NOT_ASKED: Mapping[tuple[str, str, str], str] = {
    ("*FunctionRole", "SendTraces", "xray:PutTelemetryRecords"): _TELEMETRY,
    ("StateMachineRole", "SendTraces", "xray:*"): _TRACES,
    ("StateMachineRole", "SampleTraces", "xray:*"): _TRACES,
    ("ProcessingRole", "PublishMetrics", "cloudwatch:PutMetricData"): _MACHINE_METRICS,
    ("TrainingRole", "PublishMetrics", "cloudwatch:PutMetricData"): _MACHINE_METRICS,
    ("HostingRole", "PublishMetrics", "cloudwatch:PutMetricData"): _MACHINE_METRICS,
    ("BatchRole", "PublishMetrics", "cloudwatch:PutMetricData"): _MACHINE_METRICS,
    ("BatchRole", "WriteOutputs", "s3:AbortMultipartUpload"): _ABORTED,
    ("BatchRole", "EncryptOutputs", "kms:Encrypt"): _ENCRYPT,
    ("ProcessingRole", "WriteOutputs", "s3:AbortMultipartUpload"): _ABORTED,
    ("TrainingRole", "WriteOutputs", "s3:AbortMultipartUpload"): _ABORTED,
    ("PackageModelFunctionRole", "Grant3S3PutObject", "s3:AbortMultipartUpload"): _ABORTED,
    ("ChooseModelFunctionRole", "Grant3S3PutObject", "s3:AbortMultipartUpload"): _ABORTED,
    ("StateMachineRole", "BuildImages", "codebuild:StopBuild"): (
        "asked when an execution is stopped while a build runs; here a build ends within the request that starts it"
    ),
    ("HostingRole", "DescribeTheKey", "kms:DescribeKey"): _WHOSE,
    ("HostingRole", "LendTheKeyToVolumes", "kms:CreateGrant"): _WHOSE,
    ("StateMachineRole", "DescribeTheKey", "kms:DescribeKey"): _WHOSE,
    ("RestoreEndpointFunctionRole", "Grant*KmsDescribeKey", "kms:DescribeKey"): _WHOSE,
    ("ProcessingRole", "EncryptOutputs", "kms:Encrypt"): _ENCRYPT,
    ("TrainingRole", "EncryptOutputs", "kms:Encrypt"): _ENCRYPT,
    ("Key", "LogGroupsAreEncrypted", "kms:DescribeKey"): (
        "AWS's page has it in the statement: "
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html; it carries no "
        "encryption context, so under the page's own condition nobody can use it"
    ),
    (
        "LogBucketPolicy",
        "AccessLogs",
        "s3:PutObject",
    ): "S3 delivers no access logs here: nobody else reaches a bucket on loopback",
}
"""(owner, statement, action), each with `*` for any, to the reason."""

NOT_TOUCHED: Mapping[tuple[str, str, str], str] = {
    ("*Role", "PullImages", "*:repository/mw-dev-penguins"): (
        "the pipeline's own repository: a release may name an image of its own without a deploy; the penguins' is AWS's"
    ),
    ("StateMachineRole", "RunJobs", "*:processing-job/dev-penguins-[ec]*"): (
        "an execution that is stopped while it evaluates or converts stops that job: tried with another"
    ),
    ("BatchRole", "PullImages", "*:repository/mw-dev-serving"): "a compiled model's: tried with the endpoint",
}
"""(owner, statement, resource) that some action of the statement is never used on, to the reason."""

DENIES: Mapping[tuple[str, str], str] = {
    ("*BucketPolicy", "NoKeysOfCallers"): "nobody of ours encrypts by himself; tried in test_bucket_encryption.py",
    ("DataBucketPolicy", "OnlyKeysOfPipelines"): "only producers write there; tried in test_bucket_encryption.py",
    ("*", "TlsOnly"): "loopback counts as secure transport: docs/adr/0004-enforced-policies.md",
    (
        "DataBucketPolicy",
        "PipelinesNeverWrite",
    ): "no role has the grant that it takes back; tried with some that have: test_data_bucket.py",
}
"""Statements that deny: no run can need them."""
