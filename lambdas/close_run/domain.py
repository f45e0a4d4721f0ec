"""How a run ended that no state of its own closed, and what a person reads of an untested model that it left. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.run_id import run_id

STATUSES = {"ABORTED": "Stopped", "TIMED_OUT": "TimedOut", "FAILED": "Failed"}
"""What Step Functions calls an execution that did not end well, and what the run is then."""
_HOW = {"Stopped": "was stopped", "TimedOut": "took too long and was ended", "Failed": "failed past all its states"}

MAX_CAUSE = 30_000
"""characters of a cause that are kept: as many as MarkRunFailed keeps"""
CLOSER = "close_run"
"""What `closed_by` says in the item of a run that no state closed."""


@dataclass(frozen=True)
class Ended:
    """An execution that did not end well: https://docs.aws.amazon.com/step-functions/latest/dg/cw-events.html."""

    execution: str
    status: str
    """The run's: `Stopped`, `TimedOut` or `Failed`."""
    ended_at: str
    error: str = ""
    cause: str = ""

    @classmethod
    def of(cls, detail: dict[str, Any]) -> Ended:
        """Read the event's detail; its times are milliseconds since 1970."""
        ended = datetime.fromtimestamp(detail["stopDate"] / 1000, UTC).isoformat(timespec="milliseconds")
        reason = {name: str(detail.get(name) or "") for name in ("error", "cause")}
        return cls(detail["executionArn"], STATUSES[detail["status"]], ended.replace("+00:00", "Z"), **reason)

    @property
    def run(self) -> str:
        """The run's id."""
        return run_id(self.execution)

    def reason(self) -> dict[str, str]:
        """Why it ended, as far as Step Functions says: `error` and `cause`, as a failed run's own states write them."""
        found = {"error": self.error, "cause": self.cause[:MAX_CAUSE]}
        return {name: text for name, text in found.items() if text}

    def may_have_left(self, run: dict[str, Any]) -> bool:
        """Whether somebody has to look what the run left; one whose own states saw it fail has seen to that itself.

        Step Functions fails an execution past all states on States.Runtime, States.DataLimitExceeded or a full history:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
        """
        return self.status != "Failed" or run.get("closed_by") == CLOSER


@dataclass(frozen=True)
class Serving:
    """What the endpoint has."""

    status: str
    config: str
    coming: str
    """What an update that is under way brings; empty without one."""

    @classmethod
    def of(cls, description: dict[str, Any]) -> Serving:
        """Read DescribeEndpoint's answer; an endpoint that is being created has nothing but what is coming.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html (PendingDeploymentSummary)
        """
        status, config = description["EndpointStatus"], description.get("EndpointConfigName", "")
        if status == "Creating":
            return cls(status, "", config)
        return cls(status, config, description.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""))

    def left_by(self, prefix: str, champion: dict[str, Any] | None) -> str | None:
        """The configuration of the run whose names begin with `prefix`, if that serves or comes.

        None as well when the champion's is on its way back: somebody has seen to it.
        """
        if self.coming.startswith(prefix):
            return self.coming
        on_its_way_back = bool(champion) and self.coming == (champion or {})["endpoint_config"]
        return self.config if self.config.startswith(prefix) and not on_its_way_back else None


@dataclass(frozen=True)
class Left:
    """A model that nobody tested, and what should serve instead."""

    config: str
    serving: Serving
    champion: dict[str, Any] | None


def message(pipeline: str, endpoint: str, ended: Ended, left: Left) -> str:
    """What a person reads: what serves, that nobody tested it, and what to do."""
    gets = "is being given" if left.config == left.serving.coming else "has"
    return (
        f"The run {ended.run} of {pipeline} {_HOW[ended.status]} after it had changed the endpoint.\n"
        f"Endpoint: {endpoint} ({left.serving.status}) {gets} the configuration {left.config} of that run. Its "
        "model was not promoted: the smoke test did not run, or its result came to nothing.\n"
        f"{_what_to_do(pipeline, left.champion)}\n"
        f"Execution: {ended.execution}"
    )


def _what_to_do(pipeline: str, champion: dict[str, Any] | None) -> str:
    if champion is None:
        return (
            "Champion: none, nothing served before.\n"
            f"What to do: modelwright run {pipeline} trains, tests and deploys a model; or delete the endpoint."
        )
    config = champion["endpoint_config"]
    return (
        f"Champion: run {champion['run']}, release {champion['release']}, configuration {config}.\n"
        f"What to do: check out the champion's commit (modelwright show {champion['run']}) and use modelwright run "
        f"{pipeline}: what it deploys is tested. To have the champion itself back at once, update the endpoint to "
        f"{config} (SageMaker, UpdateEndpoint)."
    )
