"""What every SageMaker job, model and endpoint of a run has, which no other validator looks at inside a definition.

https://docs.aws.amazon.com/sagemaker/latest/dg/infrastructure-give-access.html (VPC)
https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html (network isolation)
https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest.html (keys of volumes and outputs)
https://docs.aws.amazon.com/sagemaker/latest/dg/train-encrypt.html (traffic between containers)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.literals import is_expression, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.client.checks.machines import Machine
    from modelwright.client.checks.task_rules import Problem

_OUTPUT: Final = re.compile(r"\{%\s*\$plan\.run\.prefix\b.*%\}")
_CALL: Final = re.compile(r"arn:aws[a-z-]*:states:::(?:aws-sdk:)?sagemaker:(create\w+)(?:\.sync)?")
_UNTAGGED: Final = frozenset({"createModelPackage"})
"""In a group, a version has its group's tags: tags of its own are refused."""


@dataclass(frozen=True)
class Expected:
    """What the environment wants of everything that a run makes."""

    in_vpc: bool = False
    own_key: bool = True
    tags: frozenset[str] = frozenset()
    """Keys."""


def job_problems(machine: Machine, state: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    """Yield rule and sentence for what the request of a task lacks that makes something in SageMaker."""
    found = _CALL.fullmatch(state["Resource"])
    request = merged(state.get("Arguments", {}))
    if found is None or request is None:
        return
    call, given = found[1], request.known
    if call not in _UNTAGGED:
        yield from _tags(given, expected)
    for role in (given[key] for key in ("RoleArn", "ExecutionRoleArn") if key in given):
        if not machine.is_role_of_ours(role):
            yield "role", f"hands {role} to SageMaker, which is no role of this template."
    if call in _RULES:
        yield from _RULES[call](given, expected)
    if call == "createEndpointConfig" and expected.own_key and not _has_key(state["Arguments"], "KmsKeyId"):
        yield "volume-key", "has no KmsKeyId, nor one where the machine takes it."


def _processing(given: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    network = given.get("NetworkConfig", {})
    outputs = given.get("ProcessingOutputConfig", {})
    yield from _stopping(given)
    yield from _network(network, network, expected)
    yield from _output_key(outputs, expected)
    yield from _volumes(given.get("ProcessingResources", {}).get("ClusterConfig"), expected)
    for output in outputs.get("Outputs", []):
        yield from _place(output.get("S3Output", {}).get("S3Uri"))


def _training(given: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    output = given.get("OutputDataConfig", {})
    yield from _stopping(given)
    yield from _network(given, given, expected)
    yield from _output_key(output, expected)
    yield from _volumes(given.get("ResourceConfig"), expected)
    yield from _place(output.get("S3OutputPath"))


def _model(given: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    yield from _isolated(given)
    yield from _vpc(given, expected)


_RULES: Final = {"createProcessingJob": _processing, "createTrainingJob": _training, "createModel": _model}


def _stopping(given: Mapping[str, Any]) -> Iterator[Problem]:
    if not given.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"):
        yield "stopping", "has no StoppingCondition.MaxRuntimeInSeconds: it runs, and is paid, for a day."


def _network(isolation: Mapping[str, Any], vpc: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    yield from _isolated(isolation)
    yield from _vpc(vpc, expected)
    if isolation.get("EnableInterContainerTrafficEncryption") is not True:
        yield "traffic", "has no EnableInterContainerTrafficEncryption."


def _isolated(given: Mapping[str, Any]) -> Iterator[Problem]:
    value = given.get("EnableNetworkIsolation")
    if value is not True and not is_expression(value):
        yield "isolation", f"EnableNetworkIsolation is {value}."


def _vpc(given: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    config = given.get("VpcConfig", {})
    if expected.in_vpc and not (config.get("Subnets") and config.get("SecurityGroupIds")):
        yield "vpc", "has no VpcConfig with subnets and security groups; the environment has a vpc."
    if not expected.in_vpc and config:
        yield "vpc", "has a VpcConfig; the environment has no vpc."


def _output_key(given: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    if expected.own_key and not _has_key(given, "KmsKeyId"):
        yield "output-key", "its output has no KmsKeyId."


def _volumes(given: Any, expected: Expected) -> Iterator[Problem]:
    if expected.own_key and not _has_key(given, "VolumeKmsKeyId"):
        yield "volume-key", "its machines have no VolumeKmsKeyId, nor one where the machine takes it."


def _has_key(given: Any, name: str) -> bool:
    """Whether a key is named, or a part of the plan that holds one where the instance type takes it."""
    found = merged(given)
    if found is None:
        return False
    return bool(found.known.get(name)) or any(
        re.fullmatch(r"\$(plan\.\w+|champion)\.volume_key", item) for item in found.added
    )


def _place(address: Any) -> Iterator[Problem]:
    if not _OUTPUT.fullmatch(str(address)):
        yield "output", f"writes to {address}, which is not under the run's prefix (runs/<pipeline>/<run>/)."


def _tags(given: Mapping[str, Any], expected: Expected) -> Iterator[Problem]:
    missing = sorted(expected.tags - {str(tag.get("Key")) for tag in given.get("Tags", [])})
    if missing:
        yield "tags", f"lacks the tags {', '.join(missing)}."
