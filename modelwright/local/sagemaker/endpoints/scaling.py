"""UpdateEndpointWeightsAndCapacities: other weights and counts for what serves, without a new configuration.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.local.sagemaker.hosting.fleet import Fleet

_MEMBERS = {"DesiredWeight": "InitialVariantWeight", "DesiredInstanceCount": "InitialInstanceCount"}
NO_PROVISIONED = "The local cloud does not support ProvisionedConcurrency; give MaxConcurrency."


def check_changes(plan: Sequence[dict[str, Any]], wanted: Sequence[dict[str, Any]]) -> None:
    """Raise AwsError ValidationException with everything that cannot be done to the variants of `plan`."""
    problems = list(_problems({variant["VariantName"]: variant for variant in plan}, wanted))
    if not problems:
        production = [variant for variant in changed(plan, wanted) if not variant.get("Shadow")]
        if not any(variant["InitialVariantWeight"] > 0 for variant in production):
            problems = ["At least one variant needs a DesiredWeight above 0."]
    if problems:
        raise AwsError("ValidationException", " ".join(problems))


def changed(plan: Sequence[dict[str, Any]], wanted: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the plan as it is wanted."""
    by_name = {each["VariantName"]: each for each in wanted}
    return [_changed(variant, by_name.get(variant["VariantName"], {})) for variant in plan]


def reached(fleet: Fleet, plan: Sequence[dict[str, Any]], wanted: Sequence[dict[str, Any]]) -> tuple[Any, str | None]:
    """Change the fleet; return the plan that holds now, and why it is not the wanted one.

    Servers are started before any is ended, so that there is a way back when one does not start.
    """
    after = changed(plan, wanted)
    counts = {each["VariantName"]: each["InitialInstanceCount"] for each in after if not each.get("Serverless")}
    before = {name: fleet.count(name) for name in counts}
    try:
        _resize(fleet, {name: max(count, before[name]) for name, count in counts.items()})
    except ServerFailed as error:
        _resize(fleet, before)
        return list(plan), str(error)
    fleet.weigh({variant["VariantName"]: variant["InitialVariantWeight"] for variant in after})
    _resize(fleet, counts)
    for variant in after:
        if variant.get("Serverless"):
            fleet.limit(variant["VariantName"], variant["Serverless"]["MaxConcurrency"])
    return after, None


def _resize(fleet: Fleet, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        fleet.resize(name, count)


def _changed(variant: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    changes = {mine: wanted[theirs] for theirs, mine in _MEMBERS.items() if wanted.get(theirs) is not None}
    if "ServerlessUpdateConfig" in wanted:
        changes["Serverless"] = {**variant["Serverless"], **wanted["ServerlessUpdateConfig"]}
    return {**variant, **changes}


def _problems(plan: dict[str, dict[str, Any]], wanted: Sequence[dict[str, Any]]) -> Iterator[str]:
    for each in wanted:
        name, count = each["VariantName"], each.get("DesiredInstanceCount")
        variant = plan.get(name)
        if variant is None:
            yield f"There is no variant {name}; the endpoint has {', '.join(plan)}."
            continue
        if count is not None and variant.get("Serverless"):
            yield f"The variant {name} is serverless and has no instances; leave DesiredInstanceCount out."
        elif count == 0 and not variant.get("Async"):
            yield f"DesiredInstanceCount of {name} is 0; it must be 1 or more, but for an asynchronous endpoint."
        if "ServerlessUpdateConfig" in each and not variant.get("Serverless"):
            yield f"The variant {name} is not serverless; leave ServerlessUpdateConfig out."
        elif "ProvisionedConcurrency" in each.get("ServerlessUpdateConfig", {}):
            yield NO_PROVISIONED
