"""How a model is hosted: the parts of `deploy` in a `pipeline.yaml`, as frozen values. `read_hosting.py` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EndpointKind = Literal["realtime", "serverless", "async", "multi-model", "none"]
ENDPOINT_KINDS: tuple[EndpointKind, ...] = ("realtime", "serverless", "async", "multi-model", "none")
Serve = Literal["auto", "onnx", "python", "framework"]
SERVES: tuple[Serve, ...] = ("auto", "onnx", "python", "framework")
Traffic = Literal["all-at-once", "canary", "linear"]
TRAFFICS: tuple[Traffic, ...] = ("all-at-once", "canary", "linear")
Authorization = Literal["iam", "api-key"]
AUTHORIZATIONS: tuple[Authorization, ...] = ("iam", "api-key")
MAIN_VARIANT = "AllTraffic"
"""The variant of an endpoint that has one. An update with guardrails wants the same names as before."""


@dataclass(frozen=True)
class Variant:
    """One fleet of an endpoint; all of them serve the same model."""

    name: str
    weight: float
    """Its share of the requests is this by the sum of all weights."""
    instance: str
    instance_count: int


@dataclass(frozen=True)
class Autoscaling:
    """Between how many instances a variant has, and by what."""

    min: int
    """0 with an asynchronous endpoint only."""
    max: int
    requests_per_instance: int | None
    """What an instance shall answer in a minute; None exactly with an asynchronous endpoint."""
    backlog_per_instance: int | None
    """How many requests may wait for an instance; None but with an asynchronous endpoint."""
    scale_in_seconds: int
    """The cool-down before instances are taken away again."""
    scale_out_seconds: int
    """The cool-down before more are added again."""


@dataclass(frozen=True)
class Capture:
    """Which share of requests and answers is kept in S3."""

    percent: int


@dataclass(frozen=True)
class Update:
    """How the traffic moves to a new model."""

    traffic: Traffic
    percent: int | None
    """The canary's share, or that of each linear step; None exactly when all goes at once."""
    wait_seconds: int
    """How long the alarms are watched after each step."""


ALL_AT_ONCE = Update("all-at-once", None, 300)


@dataclass(frozen=True)
class Shadow:
    """A new model first gets copies of the requests, and nobody its answers."""

    percent: int
    minutes: int


@dataclass(frozen=True)
class Serverless:
    """What a serverless endpoint has instead of instances."""

    memory_gib: int
    max_concurrency: int


@dataclass(frozen=True)
class Asynchronous:
    """How an asynchronous endpoint works off its queue."""

    concurrent_per_instance: int


@dataclass(frozen=True)
class Api:
    """The REST API in front of the endpoint."""

    authorization: Authorization
    requests_per_second: int
    burst: int
    requests_per_day: int | None
    """The quota of the usage plan: with API keys only, None is no quota."""
    hook: str | None
    """A file of the pipeline's folder whose `preprocess` every request goes through."""


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """What the settings say of hosting and a release carries as it is."""

    network_isolation: bool | None = None
    """None: the model's container is isolated when it needs no network and its kind of endpoint can be."""
    variants: tuple[Variant, ...] = ()
    """The endpoint's fleets, one or more; empty exactly without instances."""
    autoscaling: Autoscaling | None = None
    capture: Capture | None = None
    update: Update = ALL_AT_ONCE
    """How the traffic moves to a new model, where the kind of endpoint lets one choose."""
    shadow: Shadow | None = None
    serverless: Serverless | None = None
    """None but with a serverless endpoint."""
    asynchronous: Asynchronous | None = None
    """None but with an asynchronous endpoint; `async` in files."""
