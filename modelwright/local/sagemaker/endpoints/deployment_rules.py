"""What SageMaker takes as a DeploymentConfig, and the steps that it means.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.rolling import Batches, rolling_problems
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LEAST_INSTANCES = 2
EXCLUDED = ("ml.inf1.", "ml.eia")
"""https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html: such an endpoint "will fall
back to using a blue/green deployment with all at once traffic shifting and no final baking period" """
_POLICIES = ("BlueGreenUpdatePolicy", "RollingUpdatePolicy")
_SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
_PERCENT = {"CanarySize": (0, 50), "LinearStepSize": (10, 50)}
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html"""


def check_deployment(params: Mapping[str, Any], config: Mapping[str, Any], serving: Sequence[str] = ()) -> None:
    """Raise AwsError, with all that is wrong, for what AWS would not carry out; `serving` are today's variants."""
    deployment = params.get("DeploymentConfig")
    problems = [] if deployment is None else list(_problems(deployment, config, serving))
    if problems:
        raise AwsError("ValidationException", " ".join(problems))


def steps(deployment: Mapping[str, Any] | None, config: Mapping[str, Any]) -> list[float]:
    """Return the shares of traffic that the new fleet gets one after the other; the last is 1."""
    if deployment is None or is_excluded(config) or "RollingUpdatePolicy" in deployment:
        return [1.0]
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    if routing["Type"] not in _SIZES:
        return [1.0]
    size = _share(routing[_SIZES[routing["Type"]]], _counts(config))
    if routing["Type"] == "CANARY":
        return [float(size), 1.0]
    return [min(1.0, float(size * number)) for number in range(1, 1 + ceil(1 / size))]


def batches(deployment: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Batches | None:
    """Return the batches of a rolling deployment; None of every other."""
    if deployment is None or is_excluded(config) or "RollingUpdatePolicy" not in deployment:
        return None
    return Batches.of(deployment["RollingUpdatePolicy"], config)


def wait_interval(deployment: Mapping[str, Any] | None, config: Mapping[str, Any]) -> float:
    """Return the baking period after each step, in seconds."""
    if deployment is None or is_excluded(config):
        return 0.0
    if "RollingUpdatePolicy" in deployment:
        return float(deployment["RollingUpdatePolicy"]["WaitIntervalInSeconds"])
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    return float(routing["WaitIntervalInSeconds"])


def time_limit(deployment: Mapping[str, Any] | None) -> float | None:
    """Return how long the deployment may take in all, in seconds, if it says so."""
    policies = [policy for name, policy in (deployment or {}).items() if name in _POLICIES]
    limit = policies[0].get("MaximumExecutionTimeoutInSeconds") if policies else None
    return None if limit is None else float(limit)


def rollback_alarms(deployment: Mapping[str, Any] | None) -> list[str]:
    """Return the names of the alarms that send it back."""
    alarms = (deployment or {}).get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return [alarm["AlarmName"] for alarm in alarms]


def is_excluded(config: Mapping[str, Any]) -> bool:
    """Say whether the endpoint has a feature with which there are no guardrails."""
    types = [
        variant.get(key, "") for variant in config["ProductionVariants"] for key in ("InstanceType", "AcceleratorType")
    ]
    return any(type_.startswith(EXCLUDED) for type_ in types)


def _problems(deployment: Mapping[str, Any], config: Mapping[str, Any], serving: Sequence[str]) -> Iterator[str]:
    variants = config["ProductionVariants"]
    if any("ServerlessConfig" in variant for variant in variants):
        yield "DeploymentConfig is for real-time and asynchronous endpoints; a serverless one has none."
        return
    names = [variant["VariantName"] for variant in variants]
    if serving and set(names) != set(serving):
        yield (
            f"With a DeploymentConfig the new configuration must have the variants of the one that serves: "
            f"{', '.join(sorted(serving))}; it has {', '.join(sorted(names))}."
        )
    given = [name for name in _POLICIES if name in deployment]
    if len(given) != 1:
        yield f"DeploymentConfig needs either {' or '.join(_POLICIES)}; found {' and '.join(given) or 'none'}."
        return
    policy = deployment[given[0]]
    if given[0] == "RollingUpdatePolicy":
        yield from rolling_problems(policy, config)
        return
    routing = policy["TrafficRoutingConfiguration"]
    wanted = _SIZES.get(routing["Type"])
    for name in _SIZES.values():
        if (name in routing) != (name == wanted):
            verb = "must" if name == wanted else "must not"
            yield f"{name} {verb} be given for traffic of Type {routing['Type']}."
        elif name == wanted:
            yield from _size_problems(name, routing[name], _counts(config))


def _size_problems(name: str, size: Mapping[str, Any], counts: Mapping[str, int]) -> Iterator[str]:
    small = [variant for variant, count in counts.items() if count < LEAST_INSTANCES]
    if small:
        yield f"{name} needs at least {LEAST_INSTANCES} instances of {', '.join(small)}; use Type ALL_AT_ONCE with one."
        return
    least, most = _PERCENT[name]
    for variant, count in counts.items():
        share = 100 * _share(size, {variant: count})
        if not least <= share <= most:
            limits = f"at most {most} %" if least == 0 else f"{least} to {most} %"
            found = f"{name} is {size['Value']} ({size['Type']})"
            yield f"{found}; it must be {limits} of the {count} instances of {variant}."


def _share(size: Mapping[str, Any], counts: Mapping[str, int]) -> Fraction:
    """The share of the fleet's capacity; a number of instances is one of each variant's."""
    if size["Type"] == "CAPACITY_PERCENT":
        return Fraction(size["Value"], 100)
    return Fraction(sum(min(size["Value"], count) for count in counts.values()), sum(counts.values()))


def _counts(config: Mapping[str, Any]) -> dict[str, int]:
    return {
        variant["VariantName"]: variant.get("InitialInstanceCount") or 0 for variant in config["ProductionVariants"]
    }
