"""What of a pipeline's settings is built into its template."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.config.hosting import Authorization, EndpointKind


@dataclass(frozen=True)
class ApiStructure:
    """What of a REST API is built into the template; its hook is code, which a release carries."""

    authorization: Authorization
    requests_per_second: int
    burst: int
    requests_per_day: int | None


@dataclass(frozen=True)
class PipelineStructure:
    """What must be deployed before a release can run: its SHA-256 is in the stack's outputs and in each release.

    A value belongs here exactly when a resource of the template is made from it:

    - `pipeline`: every resource's name and every grant's prefix;
    - `endpoint`: whether the state machine has the deploying states, and their role's grants;
    - `merge_branch`, `merge_codecommit`, `merge_github` and `schedule`: patterns and expressions of the EventBridge
      rules, the Lambda that publishes a merge, the role that GitHub takes;
    - `data_marker` and `data_every_records`: the rule that new data meet, and the Lambda that counts them;
    - `variants`: the alarms of each; empty without instances;
    - `compiled`: the states that convert the model, and our own image;
    - `script_image`: our own image alone, which serves the script;
    - `autoscaling`, `capture`, `shadow`: whether there are states and grants for it;
    - `ttl_hours`: the rule that deletes the endpoint; `api`: the REST API; `batch`: what transform jobs may read;
    - `external_data`: the processing role may read this address and no other outside our own buckets;
    - `version`: of the template's own code, raised when an old state machine cannot run a new release.

    A value does not belong here when an execution carries it in its release: code, hyperparameters, images, instances
    and their number, volumes, run times, gate, the smoke test, how many models are kept, and data in our own bucket.
    A change of those must never need a deploy. Values of the environment file are the operator's: they are in the
    template, but a release neither knows nor needs them.
    """

    pipeline: str
    endpoint: EndpointKind
    merge_branch: str
    schedule: str | None
    external_data: str | None
    merge_codecommit: str | None = None
    merge_github: str | None = None
    data_marker: str | None = None
    data_every_records: int | None = None
    variants: tuple[str, ...] = ("AllTraffic",)
    compiled: bool = False
    script_image: bool = False
    autoscaling: bool = False
    capture: bool = False
    shadow: bool = False
    ttl_hours: int | None = None
    api: ApiStructure | None = None
    batch: bool = False
    version: int = 3

    @property
    def own_image(self) -> bool:
        """Whether models are served by an image of ours, where that can be."""
        return self.compiled or self.script_image

    def to_dict(self) -> dict[str, Any]:
        """Return the structure as JSON's types."""
        return asdict(self)

    def digest(self) -> str:
        """Return the SHA-256 of the structure, in hex: equal for equal structures, on every machine."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
