"""What the environment allows a run to ask for, as conditions of the state machine's own role.

The settings are checked when they are read, but an execution may name a release of long ago: AWS refuses it then.
Which action knows which key: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
Their use: https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stacks.policies import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.config.environment import EnvironmentSettings, VpcSettings

Conditions = dict[str, dict[str, Any]]
_IN_VPC = ("CreateModel", "CreateProcessingJob", "CreateTrainingJob")
_WITH_INSTANCES = ("CreateEndpointConfig", "CreateProcessingJob", "CreateTrainingJob")


@dataclass(frozen=True)
class Guards:
    """The limits of one environment; `key_arn` is that of the environment's own key, if it has one."""

    instances: tuple[str, ...]
    max_runtime_seconds: int
    vpc: VpcSettings | None
    key_arn: str | None

    @classmethod
    def of(cls, settings: EnvironmentSettings, key_arn: str | None) -> Guards:
        """Return what these settings allow."""
        return cls(settings.limits.instances, settings.limits.max_runtime_seconds, settings.vpc, key_arn)

    def jobs(self) -> Conditions:
        """Return the conditions of CreateTrainingJob and CreateProcessingJob."""
        longest = {"NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": str(self.max_runtime_seconds)}}
        outputs = {"ArnEquals": {"sagemaker:OutputKmsKey": self.key_arn}} if self.key_arn else {}
        return {**longest, **outputs, **self.volumes()}

    def volumes(self) -> Conditions:
        """Return the condition of whatever has volumes: no key is named where disks are encrypted by hardware.

        One that is named is the environment's.
        """
        return {"ArnEqualsIfExists": {"sagemaker:VolumeKmsKey": self.key_arn}} if self.key_arn else {}

    def denials(self) -> Iterator[Statement]:
        """Yield what is refused whatever else is granted: each list is in the policy once, so that it fits into it."""
        if self.instances:
            yield _deny("OtherInstances", _WITH_INSTANCES, _any_but("StringNotLike", "InstanceTypes", self.instances))
        if self.vpc is not None:
            yield _deny("OtherSubnets", _IN_VPC, _any_but("StringNotEquals", "VpcSubnets", self.vpc.subnets))
            groups = _any_but("StringNotEquals", "VpcSecurityGroupIds", self.vpc.security_groups)
            yield _deny("OtherSecurityGroups", _IN_VPC, groups)
            yield _deny("NoNetwork", _IN_VPC, {"Null": {"sagemaker:VpcSubnets": "true"}})


def _any_but(operator: str, key: str, allowed: tuple[str, ...]) -> Conditions:
    """Hold when some value that a request has is none of the `allowed`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    return {f"ForAnyValue:{operator}": {f"sagemaker:{key}": list(allowed)}}


def _deny(sid: str, actions: tuple[str, ...], conditions: Conditions) -> Statement:
    named = tuple(f"sagemaker:{name}" for name in actions)
    return Statement(sid, named, ("*",), conditions, effect="Deny", why="it is denied on whatever")
