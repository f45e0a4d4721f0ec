"""What a function of a pipeline is to the stack, and the resources and grants that several of them have.

A resource is an ARN with `${Name}` for what the stack knows; `FUNCTION_RESOURCES` lists the names. The contract tests
hold this table against the handlers' own `Env` classes and against the state machine's placeholders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

BUCKET: Final = "${ArtifactBucketArn}"
TABLE: Final = "${TableArn}"
KEY: Final = "${KeyArn}"
SAGEMAKER: Final = "arn:${Partition}:sagemaker:${Region}:${Account}"
TARGETS: Final = "arn:${Partition}:application-autoscaling:${Region}:${Account}"
ALARMS: Final = "arn:${Partition}:cloudwatch:${Region}:${Account}:alarm"
SCALING_ROLE: Final = (
    "arn:${Partition}:iam::${Account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
EXECUTIONS: Final = "arn:${Partition}:states:${Region}:${Account}:execution:${StateMachineName}:*"

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


DECRYPT = Grant(("kms:Decrypt",), (KEY,), "reads encrypted objects and items")
ENCRYPT = Grant(("kms:Decrypt", "kms:GenerateDataKey"), (KEY,), "reads and writes encrypted objects and items")
READ_RELEASES = Grant(("s3:GetObject",), (f"{BUCKET}/releases/${{Pipeline}}/*",), "reads the release")
LIST_ARTIFACTS = Grant(("s3:ListBucket",), (BUCKET,), "without it S3 answers 403 for a key that does not exist")
