"""What stands inside the state machines' definitions and no other tool looks at: of tasks, jobs, models, endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.job_rules import Expected, job_problems
from modelwright.client.checks.machines import machines, tasks
from modelwright.client.checks.report import Finding
from modelwright.client.checks.task_rules import task_problems
from modelwright.config.environment import OWN_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.client.checks.machines import Machine
    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template
    from modelwright.config.environment import EnvironmentSettings

TOOL = "definition"


def check_settings_inside(templates: Sequence[Template], settings: EnvironmentSettings, collector: Collector) -> None:
    """Check every task against the rules, and what it makes against what the environment's settings want."""
    expected = Expected(
        in_vpc=settings.vpc is not None,
        own_key=settings.key == "customer-managed",
        tags=frozenset(OWN_TAGS) | settings.tags.keys(),
    )
    found = (finding for machine in machines(templates) for finding in _of_machine(machine, expected))
    settle(TOOL, templates, found, collector)


def _of_machine(machine: Machine, expected: Expected) -> Iterator[Finding]:
    if "TimeoutSeconds" not in machine.definition:
        yield Finding(TOOL, "timeout", machine.where, "has no TimeoutSeconds: a run may last a year.")
    for name, state in tasks(machine.states):
        for rule, message in (*task_problems(state), *job_problems(machine, state, expected)):
            yield Finding(TOOL, f"{rule}[{name}]", machine.where, f"{name} {message}")
