"""What the template makes of APIs: in memory, for it is made anew at each start with the same ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.apigateway.limits import Bucket

Properties = "Mapping[str, Any]"


@dataclass(frozen=True)
class Route:
    """A method of a deployed API, with everything that a request to it needs."""

    resource_id: str
    path: str
    verb: str
    signed: bool
    key_required: bool
    function: str
    """The ARN of the function that answers."""
    timeout_seconds: float
    models: Mapping[str, Mapping[str, Any]]
    """What a body of a content type is held against."""


@dataclass(frozen=True)
class Deployment:
    """What a stage serves: routes and answers as they were when it was made; it never changes."""

    id: str
    routes: Mapping[tuple[str, str], Route]
    """By path and verb."""
    responses: Mapping[str, Mapping[str, Any]]
    """Gateway responses by their type."""


@dataclass
class Stage:
    """A deployed API under its name in the address."""

    name: str
    deployment: str
    properties: Mapping[str, Any]
    bucket: Bucket | None
    """None: no limit of its own."""


@dataclass
class Api:
    """One REST API."""

    id: str
    root: str
    properties: Mapping[str, Any]
    created: float
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Id -> its parent's id and its part of the path."""
    methods: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """By resource and verb."""
    models: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    validators: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    responses: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, which its metrics have."""
        return str(self.properties["Name"])

    def path_of(self, resource_id: str) -> str:
        """The path of a resource, `/` for the root."""
        parts: list[str] = []
        while resource_id != self.root:
            resource_id, part = self.resources[resource_id]
            parts.append(part)
        return "/" + "/".join(reversed(parts))


@dataclass
class Key:
    """An API key."""

    id: str
    value: str = field(repr=False)
    properties: Mapping[str, Any]
    created: float


@dataclass
class Plan:
    """A usage plan, and the keys that it counts."""

    id: str
    properties: Mapping[str, Any]
    keys: set[str] = field(default_factory=set)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    """A key's, in this plan."""

    def has_stage(self, api: str, stage: str) -> bool:
        """Whether it is about this stage."""
        return any((each["ApiId"], each["Stage"]) == (api, stage) for each in self.properties.get("ApiStages", ()))
