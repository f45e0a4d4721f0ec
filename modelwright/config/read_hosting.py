"""Reading what goes with an endpoint's kind, one function a key of `deploy`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from modelwright.config.folder_files import check_hook
from modelwright.config.hosting import (
    AUTHORIZATIONS,
    TRAFFICS,
    Api,
    Asynchronous,
    Authorization,
    Autoscaling,
    Capture,
    Serverless,
    Shadow,
    Traffic,
    Update,
    Variant,
)
from modelwright.config.instances import family
from modelwright.config.place import read_instance
from modelwright.config.reader import ENOUGH, Section, shown

if TYPE_CHECKING:
    from modelwright.config.document import Node
    from modelwright.config.place import Place

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (ProductionVariants)
MOST_VARIANTS = 10
_VARIANT = r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}"
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html
MOST_SHIFT_PERCENT = 50
LEAST_LINEAR_PERCENT = 10
MOST_WAIT_SECONDS = 3600
BAKE_SECONDS = 300
"""The rollback alarms look at three minutes, and metrics come a minute or two late."""
CANARY_PERCENT = 10
LINEAR_PERCENT, LINEAR_BAKE_SECONDS = 25, 240
"""Four steps whose waits, together, an environment's own defaults have time for."""
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html
MOST_MEMORY_GIB = 6
MOST_CONCURRENCY = 200
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceClientConfig.html
MOST_CONCURRENT = 1000
MOST_COOLDOWN_SECONDS = 86_400
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: an account's requests a second, all APIs
MOST_REQUESTS_PER_SECOND = 10_000
MOST_BURST = 5_000
DAY_SECONDS = 86_400
HALF_HOUR_SECONDS = 1800
START_SECONDS = 600
"""What of an update's time is kept for new machines to start."""
WAITS_OF_A_RUN = 4
"""How often a run with a shadow waits for its endpoint at most: free, shadow, update, and back."""


def read_variants(section: Section, main: Variant, place: Place) -> tuple[Variant, ...]:
    """Return the endpoint's variants, `main` alone when none are written."""
    nodes = section.items("variants")
    if not section.has("variants"):
        return (main,)
    if not 1 <= len(nodes) <= MOST_VARIANTS:
        section.problem("variants", f"has {len(nodes)} entries; it must have 1 to {MOST_VARIANTS}.")
    found = tuple(_variant(section, index, node, main, place) for index, node in enumerate(nodes))
    twice = sorted({each.name for each in found if [other.name for other in found].count(each.name) > 1})
    if twice:
        section.problem("variants", f"has {', '.join(twice)} more than once; names must differ.")
    if found and not sum(each.weight for each in found):
        section.problem("variants", "has weights of 0 only; one of them must be more.")
    return found or (main,)


def _variant(section: Section, index: int, node: Node, main: Variant, place: Place) -> Variant:
    key = f"variants[{index}]"
    if not isinstance(node.value, dict):
        section.problem(key, f"is {shown(node.value)}; it must be a mapping with a name.", node.line)
        return main
    entry = Section(section.file, section.dotted(key), node, section.problems)
    found = Variant(
        name=entry.text("name", pattern=_VARIANT, allowed="letters, digits and hyphens, at most 63"),
        weight=entry.number("weight", 1.0, least=0, most=10**6),
        instance=read_instance(entry, "hosting", place, main.instance),
        instance_count=entry.integer(
            "instance_count",
            main.instance_count,
            most=place.max_instance_count,
            whose=place.whose("max_instance_count"),
        ),
    )
    entry.finish()
    return found


def read_autoscaling(
    section: Section, variants: tuple[Variant, ...], place: Place, *, asynchronous: bool
) -> Autoscaling | None:
    """Return how variants scale; None when they do not."""
    if not section.has("autoscaling"):
        section.child("autoscaling")
        return None
    found = section.section("autoscaling")
    least = found.integer(
        "min", 0 if asynchronous else 1, least=0, most=place.max_instance_count, whose=place.whose("max_instance_count")
    )
    if least == 0 and not asynchronous:
        found.problem("min", "is 0; only asynchronous and serverless endpoints scale to zero: it must be 1 or more.")
    most = found.integer("max", most=place.max_instance_count, whose=place.whose("max_instance_count"))
    if most < least and not found.is_wrong("min", "max"):
        found.problem("max", f"is {most}, less than min, which is {least}.")
    target, other = ("backlog_per_instance", "requests_per_instance")[:: 1 if asynchronous else -1]
    goal = found.integer(target, most=ENOUGH)
    if found.child(other) is not None:
        kind = "an asynchronous endpoint" if asynchronous else "an endpoint that answers at once"
        found.problem(other, f"has no meaning with {kind}; write {target}.")
    scale_in = found.integer("scale_in_seconds", 300, least=0, most=MOST_COOLDOWN_SECONDS)
    scale_out = found.integer("scale_out_seconds", 60, least=0, most=MOST_COOLDOWN_SECONDS)
    _check_scaled(section, found, variants, (least, most))
    found.finish()
    return Autoscaling(least, most, None if asynchronous else goal, goal if asynchronous else None, scale_in, scale_out)


def _check_scaled(section: Section, found: Section, variants: tuple[Variant, ...], between: tuple[int, int]) -> None:
    """See that the variants can scale: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html."""
    for variant in variants:
        if variant.instance and family(variant.instance) == "t2":
            message = f"cannot go with {variant.instance}: AWS does not scale burstable t2 instances; choose another"
            section.problem("autoscaling", f"{message}, like ml.m5.large.")
        known = not (section.is_wrong("instance_count") or found.is_wrong("min", "max"))
        if known and between[1] >= between[0] and not max(1, between[0]) <= variant.instance_count <= between[1]:
            message = f"is from {between[0]} to {between[1]}, but {variant.name} begins with {variant.instance_count}"
            found.problem("max", f"{message} (instance_count); it must begin within.")


def read_capture(section: Section) -> Capture | None:
    """Return how much is kept; None when nothing is."""
    if not section.has("capture"):
        section.child("capture")
        return None
    found = section.section("capture")
    percent = found.integer("percent", 100, most=100)
    found.finish()
    return Capture(percent)


def read_update(section: Section, variants: tuple[Variant, ...], place: Place) -> Update:
    """Return how the traffic moves, all at once when nothing is written."""
    found = section.section("update")
    traffic = cast("Traffic", found.choice("traffic", TRAFFICS, "all-at-once"))
    usual = LINEAR_BAKE_SECONDS if traffic == "linear" else BAKE_SECONDS
    wait = found.integer("wait_seconds", usual, least=0, most=MOST_WAIT_SECONDS)
    percent = None
    if traffic == "all-at-once":
        if found.child("percent") is not None:
            found.problem("percent", "has no meaning with traffic: all-at-once; remove it.")
    else:
        least = LEAST_LINEAR_PERCENT if traffic == "linear" else 1
        usual = LINEAR_PERCENT if traffic == "linear" else CANARY_PERCENT
        percent = found.integer("percent", usual, least=least, most=MOST_SHIFT_PERCENT)
        _check_shifted(found, traffic, () if section.is_wrong("instance_count") else variants)
    if found.node.value:
        _check_waits(found, percent if traffic == "linear" else None, traffic, wait, place)
    found.finish()
    return Update(traffic, percent, wait)


def _check_shifted(found: Section, traffic: str, variants: tuple[Variant, ...]) -> None:
    """A part is a number of instances: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CapacitySize.html."""
    single = [each.name for each in variants if each.instance_count < 2]
    if single:
        message = f"is {traffic}, but {', '.join(single)} has 1 instance, which cannot be moved in parts"
        found.problem("traffic", f"{message}; write instance_count: 2 or more, or traffic: all-at-once.")


def _check_waits(found: Section, step: int | None, traffic: str, wait: int, place: Place) -> None:
    if place.limits is None:
        return
    steps = math.ceil(100 / step) if step else 2 if traffic == "canary" else 1
    # An update that takes longer is given up by AWS: MaximumExecutionTimeoutInSeconds, half of what a run waits.
    most = max(600, min(28_800, place.limits.max_wait_for_endpoint_seconds // 2))
    if steps * wait >= most - START_SECONDS:
        message = f"is {wait}, {steps} times; all waits together must be less than {most - START_SECONDS} s"
        found.problem(
            "wait_seconds", f"{message}, what half of the environment's max_wait_for_endpoint_seconds leaves."
        )


def read_shadow(section: Section, variants: tuple[Variant, ...], place: Place) -> Shadow | None:
    """Return how long and how much; None when a new model has no shadow time."""
    if not section.has("shadow"):
        section.child("shadow")
        return None
    found = section.section("shadow")
    shadow = Shadow(found.integer("percent", 100, most=100), found.integer("minutes", 30, most=30 * 24 * 60))
    if len(variants) > 1:  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
        section.problem("shadow", "needs an endpoint with one variant: remove variants, or shadow.")
    if place.limits:
        waits = WAITS_OF_A_RUN * place.limits.max_wait_for_endpoint_seconds + HALF_HOUR_SECONDS
        most = max(0, (place.limits.lease_seconds - waits) // 60)
        if shadow.minutes > most:
            message = f"is {shadow.minutes}; a run may keep the endpoint for lease_seconds, which leaves at most {most}"
            found.problem("minutes", f"{message}; a longer lease is set in the environment.")
    found.finish()
    return shadow


def read_serverless(section: Section) -> Serverless:
    """Return the size of a serverless endpoint."""
    found = section.section("serverless")
    serverless = Serverless(
        found.integer("memory_gib", 2, most=MOST_MEMORY_GIB),
        found.integer("max_concurrency", 10, most=MOST_CONCURRENCY),
    )
    found.finish()
    return serverless


def read_asynchronous(section: Section) -> Asynchronous:
    """Return how an asynchronous endpoint works."""
    found = section.section("async")
    asynchronous = Asynchronous(found.integer("concurrent_per_instance", 4, most=MOST_CONCURRENT))
    found.finish()
    return asynchronous


def read_api(section: Section, place: Place) -> Api | None:
    """Return the REST API; None when there is none."""
    if not section.has("api"):
        section.child("api")
        return None
    found = section.section("api")
    authorization = cast("Authorization", found.choice("authorization", AUTHORIZATIONS, "iam"))
    rate = found.integer("requests_per_second", 10, most=MOST_REQUESTS_PER_SECOND)
    burst = found.integer("burst", min(MOST_BURST, 2 * rate), most=MOST_BURST)
    quota = found.integer("requests_per_day", 0, most=ENOUGH) or None
    if quota and authorization == "iam":
        found.problem("requests_per_day", "is a quota of API keys: write authorization: api-key, or remove it.")
    hook = found.optional_text("hook", allowed="a Python file of the pipeline's folder")
    if hook:
        check_hook(place.folder, hook, lambda message: found.problem("hook", message))
    found.finish()
    return Api(authorization, rate, burst, quota, hook)
