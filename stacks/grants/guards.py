"""What the environment allows a run to ask for, as conditions of the state machine's own role.

The settings are checked when they are read, but an execution may name a release of long ago: AWS refuses it then.
Which action knows which key: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
Their use: https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.config.environment import EnvironmentSettings, VpcSettings

Conditions = dict[str, dict[str, Any]]


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
        return _together(longest, outputs, self._volumes(), self._instances(), self._network())

    def models(self) -> Conditions:
        """Return the conditions of CreateModel."""
        return self._network()

    def endpoint_configs(self) -> Conditions:
        """Return the conditions of CreateEndpointConfig. Its model says which network it has."""
        return _together(self._volumes(), self._instances())

    def _volumes(self) -> Conditions:
        """No key is named where disks are encrypted by hardware; one that is named is the environment's."""
        return {"ArnEqualsIfExists": {"sagemaker:VolumeKmsKey": self.key_arn}} if self.key_arn else {}

    def _instances(self) -> Conditions:
        return _all_of({"sagemaker:InstanceTypes": self.instances}, "StringLike") if self.instances else {}

    def _network(self) -> Conditions:
        if self.vpc is None:
            return {}
        keys = {
            "sagemaker:VpcSubnets": self.vpc.subnets,
            "sagemaker:VpcSecurityGroupIds": self.vpc.security_groups,
        }
        return _all_of(keys, "StringEquals")


def _all_of(keys: Mapping[str, tuple[str, ...]], operator: str) -> Conditions:
    """Each value that a request has is one of these, and it has some: ForAllValues holds for none at all, too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    return {
        f"ForAllValues:{operator}": {key: list(values) for key, values in keys.items()},
        "Null": dict.fromkeys(keys, "false"),
    }


def _together(*parts: Conditions) -> Conditions:
    found: Conditions = {}
    for part in parts:
        for operator, keys in part.items():
            found.setdefault(operator, {}).update(keys)
    return found
