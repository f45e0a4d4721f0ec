"""An endpoint whose model nobody tested: its run ended between the deployment and the smoke test."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from modelwright.client.runs import executions
from modelwright.workflow.run_names import deployment_run

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

_LATEST = 100
_ENDED_EARLY = {"ABORTED": "was stopped", "TIMED_OUT": "took too long", "FAILED": "failed"}


@dataclass(frozen=True)
class UntestedRun:
    """A run whose model an endpoint has, though the run ended before it was promoted."""

    run: str
    how: str
    """how it ended"""
    perhaps_promoted: bool = False
    """It ended while PromoteModel was at work; a function goes on when its execution ends."""


def untested_run(session: Session, deployment: Deployment, environment: str, config: str) -> UntestedRun | None:
    """Return the run that made the endpoint's configuration, where it did not end well; else None.

    From what Step Functions keeps, so that nobody needs the table for it.
    """
    wanted = deployment_run(environment, deployment.pipeline, config)
    if not wanted:
        return None
    for entry in islice(executions.executions(session, deployment), _LATEST):
        if executions.run_id(entry["executionArn"]) == wanted:
            return _left(session, wanted, entry)
    return None


def _left(session: Session, run: str, entry: dict[str, Any]) -> UntestedRun | None:
    """A run may be ended, or fail, after its model was tested and made the champion: that is no accident."""
    how = _ENDED_EARLY.get(entry["status"])
    if not how:
        return None
    states = executions.history(session, entry["executionArn"]).states
    promotions = {state.status for state in states if state.name == "PromoteModel"}
    return None if "succeeded" in promotions else UntestedRun(run, how, bool(promotions & {"stopped", "running"}))
