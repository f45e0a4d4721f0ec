"""What of a pipeline's settings is built into its template."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class PipelineStructure:
    """What must be deployed before a release can run: its SHA-256 is in the stack's outputs and in each release.

    A value belongs here exactly when a resource of the template is made from it:

    - `pipeline`: every resource's name and every grant's prefix;
    - `endpoint`: whether the state machine has the deploying states, and their role's grants;
    - `merge_branch`, `merge_codecommit`, `merge_github` and `schedule`: patterns and expressions of the EventBridge
      rules, the Lambda that publishes a merge, the role that GitHub takes;
    - `data_marker` and `data_every_records`: the rule that new data meet, and the Lambda that counts them;
    - `external_data`: the processing role may read this address and no other outside our own buckets;
    - `version`: of the template's own code, raised when an old state machine cannot run a new release.

    A value does not belong here when an execution carries it in its release: code, hyperparameters, images, instances
    and their number, volumes, run times, gate, the smoke test, how many models are kept, and data in our own bucket.
    A change of those must never need a deploy. Values of the environment file are the operator's: they are in the
    template, but a release neither knows nor needs them.
    """

    pipeline: str
    endpoint: Literal["realtime", "none"]
    merge_branch: str
    schedule: str | None
    external_data: str | None
    merge_codecommit: str | None = None
    merge_github: str | None = None
    data_marker: str | None = None
    data_every_records: int | None = None
    version: int = 2

    def to_dict(self) -> dict[str, Any]:
        """Return the structure as JSON's types."""
        return asdict(self)

    def digest(self) -> str:
        """Return the SHA-256 of the structure, in hex: equal for equal structures, on every machine."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
