"""What reading a `pipeline.yaml` needs to know of its place: its folder, and what its environment allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.config.instances import Purpose, instance_problem, limit_problem

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.config.environment import EnvironmentSettings, LimitSettings, VpcSettings
    from modelwright.config.reader import Section

AWS_MOST_INSTANCES = 100


@dataclass(frozen=True)
class Place:
    """Where the file is and what it may ask for; `environment` is None when that could not be read."""

    folder: Path
    environment: EnvironmentSettings | None

    @property
    def limits(self) -> LimitSettings | None:
        """The environment's limits."""
        return self.environment.limits if self.environment else None

    @property
    def vpc(self) -> VpcSettings | None:
        """The environment's network."""
        return self.environment.vpc if self.environment else None

    @property
    def max_instance_count(self) -> int:
        """How many machines may serve a model."""
        return self.limits.max_instance_count if self.limits else AWS_MOST_INSTANCES

    def whose(self, limit: str) -> str:
        """Say of a limit of the environment that it is one; an empty text where AWS's own holds."""
        return f"limits.{limit} of the environment" if self.limits else ""


def read_instance(section: Section, purpose: Purpose, place: Place, default: str | None = None) -> str:
    """Return the instance type at `instance`, empty with a problem for one that cannot be had for `purpose`."""
    instance = section.text("instance", default, allowed="an instance type, like ml.m5.large")
    allowed = place.limits.instances if place.limits else ()
    problem = (instance_problem(instance, purpose) or limit_problem(instance, purpose, allowed)) if instance else None
    if problem:
        section.problem("instance", problem)
        return ""
    return instance
