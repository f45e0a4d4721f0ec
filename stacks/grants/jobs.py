"""What SageMaker does with a job's role: no script of the user's asks for any of it.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (CreateProcessingJob, CreateTrainingJob and
CreateModel API: Execution Role Permissions). The scripts themselves need nothing: they see files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.grants.network import in_vpc
from stacks.grants.target import Target, via
from stacks.policies import NO_RESOURCE, Statement, arn, bucket_arn, objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelwright.config.structure import PipelineStructure

_BY_PREFIX = "objects are named by run and content"


def processing(target: Target, *, compiled: bool = False) -> tuple[Statement, ...]:
    """ProcessData, EvaluateModel and ConvertModel: read data, code, models and test set; write what they made."""
    ours = target.serving_images if compiled else ()
    runs = f"runs/{target.pipeline}"
    packaged = (f"models/{target.pipeline}/",) if compiled else ()
    conversion = (f"{runs}/*/compiled/",) if compiled else ()
    return (
        *_read(target, _own_data(target), (f"code/{target.pipeline}/", f"{runs}/", *packaged)),
        *_external_data(target),
        _write(target, f"{runs}/*/train/", f"{runs}/*/test/", f"{runs}/*/evaluation/", *conversion),
        *_key(target),
        *lend_key(target),
        *_images(target, *ours),
        *in_vpc(target.guards.vpc),
        *_logs("/aws/sagemaker/ProcessingJobs"),
    )


def training(target: Target) -> tuple[Statement, ...]:
    """TrainModel: read the training set and the code, write the model's archive."""
    runs = f"runs/{target.pipeline}"
    return (
        *_read(target, (), (f"code/{target.pipeline}/", f"{runs}/*/train/")),
        _write(target, f"{runs}/*/training/"),
        *_key(target),
        *lend_key(target),
        *_images(target),
        *in_vpc(target.guards.vpc),
        *_logs("/aws/sagemaker/TrainingJobs"),
    )


def hosting(target: Target, structure: PipelineStructure, answers_topic: str | None = None) -> tuple[Statement, ...]:
    """The endpoint: read packaged models; write what is captured, work off the queue and tell where there is one.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
    """
    queued = structure.endpoint == "async"
    async_ = f"async/{target.pipeline}/"
    written = (
        *((f"capture/{target.pipeline}/",) if structure.capture else ()),
        *((f"{async_}output/", f"{async_}failure/") if queued else ()),
    )
    several = (f"code/{target.pipeline}/",) if structure.endpoint == "multi-model" else ()
    read = (f"models/{target.pipeline}/", *several, *((f"{async_}input/",) if queued else ()))
    decrypt = target.use_key("DecryptModels", "kms:Decrypt", conditions=via("s3"))
    return (
        *_read(target, (), read),
        *((_write(target, *written), *_key(target)) if written else decrypt),
        *(_tell(target, answers_topic) if answers_topic else ()),
        *(() if structure.endpoint == "serverless" else lend_key(target)),
        *_images(target, *target.serving_images),
        *in_vpc(target.guards.vpc, hosting=True),
        *_logs(f"/aws/sagemaker/Endpoints/{target.names.prefix}"),
    )


def batch(target: Target) -> tuple[Statement, ...]:
    """Batch transform: read packaged models, what producers and `modelwright batch` bring; write the outputs.

    A transform job has no role of its own: it runs with that of its model.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html (KmsKeyId)
    """
    own = f"batch/{target.pipeline}/"
    incoming = objects(target.shared.data_bucket, f"incoming/{target.pipeline}/")
    return (
        *_read(target, incoming, (f"models/{target.pipeline}/", own)),
        _write(target, own),
        *_key(target),
        *lend_key(target),
        *_images(target, *target.serving_images),
        *in_vpc(target.guards.vpc, hosting=True),
        *_logs("/aws/sagemaker/TransformJobs"),
    )


def _tell(target: Target, topic: str) -> tuple[Statement, ...]:
    """Say that an answer is there."""
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    told = Statement("TellOfAnswers", ("sns:Publish",), (topic,))
    return (told, *target.use_key("EncryptMessages", *use, conditions=via("sns")))


def _own_data(target: Target) -> tuple[str, ...]:
    """What its releases and commands published, and what producers put into the data bucket."""
    return (
        *target.artifacts(f"datasets/{target.pipeline}/"),
        *objects(target.shared.data_bucket, f"incoming/{target.pipeline}/"),
    )


def _read(target: Target, data: tuple[str, ...], prefixes: Iterable[str]) -> tuple[Statement, ...]:
    """Reading by prefix: S3 lists the bucket first."""
    buckets = (target.shared.artifact_bucket_arn, *((target.shared.data_bucket_arn,) if data else ()))
    return (
        Statement("ListInputs", ("s3:ListBucket",), buckets),
        Statement("ReadInputs", ("s3:GetObject",), (*data, *target.artifacts(*prefixes)), why=_BY_PREFIX),
    )


def _external_data(target: Target) -> tuple[Statement, ...]:
    """A data source outside our buckets: listed and read under its own prefix only."""
    if target.external_data is None:
        return ()
    bucket, _, prefix = target.external_data.removeprefix("s3://").partition("/")
    return (
        Statement(
            "ListExternalData",
            ("s3:ListBucket",),
            (bucket_arn(bucket),),
            {"StringLike": {"s3:prefix": f"{prefix}*"}} if prefix else {},
        ),
        Statement("ReadExternalData", ("s3:GetObject",), objects(bucket, prefix), why=_BY_PREFIX),
    )


def _write(target: Target, *prefixes: str) -> Statement:
    actions = ("s3:PutObject", "s3:AbortMultipartUpload")
    return Statement("WriteOutputs", actions, target.artifacts(*prefixes), why=_BY_PREFIX)


def _key(target: Target) -> tuple[Statement, ...]:
    """Objects are encrypted with the environment's key; outputs name it, for which AWS's page asks kms:Encrypt.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (CreateTrainingJob, CreateProcessingJob)
    """
    return (
        *target.use_key("UseTheKeyForObjects", "kms:Decrypt", "kms:GenerateDataKey", conditions=via("s3")),
        *target.use_key("EncryptOutputs", "kms:Encrypt"),
    )


def lend_key(target: Target) -> tuple[Statement, ...]:
    """Volumes are encrypted with the environment's key, which SageMaker hands on to EBS.

    Of an endpoint, AWS asks it of "the IAM role that you specify in your CreateEndpoint, UpdateEndpoint requests".
    They name none: the model's role and that of whoever calls both have it. SageMaker's grants meet the condition:
    AWS's own https://github.com/awslabs/mlspace limits its SageMaker roles in the same way.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (KmsKeyId)
    """
    for_volumes = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return (
        *target.use_key("DescribeTheKey", "kms:DescribeKey"),
        *target.use_key("LendTheKeyToVolumes", "kms:CreateGrant", conditions=for_volumes),
    )


def _images(target: Target, *more: str) -> tuple[Statement, ...]:
    """Without BatchGetImage, a hosting role fails late: https://github.com/aws/sagemaker-python-sdk/issues/2002."""
    actions = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    return (
        Statement("LogInToRegistries", ("ecr:GetAuthorizationToken",), ("*",), why=NO_RESOURCE),
        Statement("PullImages", actions, (*target.images, *more)),
    )


def _logs(group: str) -> tuple[Statement, ...]:
    """Logs and metrics. SageMaker chooses the group's name; those of jobs belong to all jobs of the account.

    https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """
    name = arn("logs", f"log-group:{group}")
    actions = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
    namespaces = ["AWS/SageMaker", "/".join(group.split("/")[:4])]
    return (
        Statement("WriteLogs", actions, (f"{name}:*",), why="a stream a machine"),
        Statement(
            "PublishMetrics",
            ("cloudwatch:PutMetricData",),
            ("*",),
            {"StringEquals": {"cloudwatch:namespace": namespaces}},
            why=NO_RESOURCE,
        ),
    )
