"""How a release's model is hosted: the parts of the requests that make an endpoint, ready to be sent. Pure.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN_VARIANT = "AllTraffic"
SHADOW_VARIANT = "Shadow"
BAKE_SECONDS = 300
"""Of a release from before `update`: the rollback alarms look at three minutes, and metrics come a minute or two late.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-all-at-once.html"""
MIB_A_GIB = 1024
MINUTE_SECONDS = 60

Settings = dict[str, Any]


def kind_of(settings: Settings) -> str:
    """Return the endpoint's kind; a release from before there were several is real-time, if it has machines."""
    return str(settings.get("endpoint") or ("realtime" if settings.get("instance") else "none"))


def hosting(settings: Settings, *, isolated: bool, bucket: str, pipeline: str) -> dict[str, Any]:
    """Return what the hosting states put into their requests; an absent part is null, and no state asks for it."""
    kind = kind_of(settings)
    return {
        "kind": kind,
        "variants": variants(settings),
        "isolated": _isolated(settings, kind, possible=isolated),
        "routing": routing(settings.get("update")),
        "capture": _capture(settings.get("capture"), bucket, pipeline),
        "async": _asynchronous(settings.get("async"), bucket, pipeline),
        "autoscaling": settings.get("autoscaling"),
        "shadow": _shadow(settings),
    }


def variants(settings: Settings) -> list[dict[str, Any]]:
    """Return the ProductionVariants, each without its ModelName: that is made anew for each attempt."""
    if kind_of(settings) == "none":
        return []
    if settings.get("serverless"):
        return [{"VariantName": MAIN_VARIANT, "ServerlessConfig": _serverless(settings["serverless"])}]
    main = {name: settings.get(name) for name in ("instance", "instance_count")}
    written = settings.get("variants") or [{"name": MAIN_VARIANT, "weight": 1, **main}]
    return [
        {
            "VariantName": variant["name"],
            "InstanceType": variant["instance"],
            "InitialInstanceCount": variant["instance_count"],
            "InitialVariantWeight": variant["weight"],
        }
        for variant in written
    ]


def routing(update: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return how the traffic moves to the new machines.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html
    """
    update = update or {"traffic": "all-at-once", "percent": None, "wait_seconds": BAKE_SECONDS}
    wait = {"WaitIntervalInSeconds": update["wait_seconds"]}
    size = {"Type": "CAPACITY_PERCENT", "Value": update["percent"]}
    if update["traffic"] == "canary":
        return {"Type": "CANARY", "CanarySize": size, **wait}
    if update["traffic"] == "linear":
        return {"Type": "LINEAR", "LinearStepSize": size, **wait}
    return {"Type": "ALL_AT_ONCE", **wait}


def instance_types(settings: Settings) -> list[str]:
    """Return the machines of all variants; none of a serverless endpoint."""
    return [variant["InstanceType"] for variant in variants(settings) if "InstanceType" in variant]


def _isolated(settings: Settings, kind: str, *, possible: bool) -> bool:
    """A serverless endpoint has none: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html.

    A container with several models fetches their script from S3 by itself.
    """
    written = settings.get("network_isolation")
    return kind not in ("serverless", "multi-model") and (possible if written is None else bool(written))


def _serverless(found: Mapping[str, int]) -> dict[str, int]:
    return {"MemorySizeInMB": found["memory_gib"] * MIB_A_GIB, "MaxConcurrency": found["max_concurrency"]}


def _capture(found: Mapping[str, int] | None, bucket: str, pipeline: str) -> dict[str, Any] | None:
    """SageMaker adds `/<endpoint>/<variant>/` and the hour to the address: no slash at its end, as in AWS's examples.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
    """
    return {"percent": found["percent"], "uri": f"s3://{bucket}/capture/{pipeline}"} if found else None


def _asynchronous(found: Mapping[str, int] | None, bucket: str, pipeline: str) -> dict[str, Any] | None:
    if not found:
        return None
    prefix = f"s3://{bucket}/async/{pipeline}"
    return {**found, "output": f"{prefix}/output/", "failure": f"{prefix}/failure/"}


def _shadow(settings: Settings) -> dict[str, Any] | None:
    """The variant that gets copies of the requests: its weight is a share of the production variant's.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (ShadowProductionVariants)
    """
    found = settings.get("shadow")
    if not found:
        return None
    fleet = {name: value for name, value in variants(settings)[0].items() if name != "InitialVariantWeight"}
    return {
        "variant": {**fleet, "VariantName": SHADOW_VARIANT},
        "share": found["percent"] / 100,
        "seconds": found["minutes"] * MINUTE_SECONDS,
    }
