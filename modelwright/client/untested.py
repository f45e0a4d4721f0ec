"""An endpoint whose model nobody tested: its run ended between the deployment and the smoke test."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from modelwright.client import executions
from modelwright.workflow.run_names import deployment_run

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

_LATEST = 100
_ENDED_EARLY = {"ABORTED": "was stopped", "TIMED_OUT": "took too long", "FAILED": "failed"}


def untested_run(session: Session, deployment: Deployment, environment: str, config: str) -> tuple[str, str] | None:
    """Return the run that made the endpoint's configuration and how it ended, where that was not well; else None.

    From what Step Functions keeps, so that nobody needs the table for it.
    """
    wanted = deployment_run(environment, deployment.pipeline, config)
    if not wanted:
        return None
    for entry in islice(executions.executions(session, deployment), _LATEST):
        if executions.run_id(entry["executionArn"]) == wanted:
            how = _ENDED_EARLY.get(entry["status"])
            return (wanted, how) if how and not _promoted(session, entry["executionArn"]) else None
    return None


def _promoted(session: Session, arn: str) -> bool:
    """A run may be ended, or fail, after its model was tested and made the champion: that is no accident."""
    found = executions.history(session, arn).states
    return any(state.name == "PromoteModel" and state.status == "succeeded" for state in found)
