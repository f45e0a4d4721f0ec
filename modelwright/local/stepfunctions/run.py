"""One execution while it runs: its thread, its environment for the interpreter, its history and its end."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from modelwright.local.stepfunctions.environment import LocalEnvironment
from modelwright.local.stepfunctions.history import History
from modelwright.local.stepfunctions.machines import PRINCIPAL, Machine, check_trust
from modelwright.local.stepfunctions.programs import parse_next, program_of
from modelwright.local.stepfunctions.recorder import Recorder
from modelwright.local.stepfunctions.records import history_stream
from modelwright.local.stepfunctions.runtime import Runtime
from modelwright.local.stepfunctions.telemetry import ExecutionLog, tell_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

    from modelwright.local.cloud import Cloud
    from modelwright.local.stepfunctions.recorder import Recorder

log = logging.getLogger(__name__)


class Run:
    """One execution while it runs; `thread` is started by whoever makes it."""

    def __init__(  # noqa: PLR0913  # what a run is, and whom it tells
        self,
        cloud: Cloud,
        machine: Machine,
        record: dict[str, Any],
        value: Any,
        *,
        recorder: Recorder,
        ended: Callable[[Run], None],
    ) -> None:
        """Make it ready to run: `value` is its parsed input, `ended` hears of its end, with the record complete."""
        self.record = record
        self.events: list[dict[str, Any]] = []
        """the history, so that who watches a running execution does not read it again and again"""
        self._cloud = cloud
        self._machine = machine
        self._recorder = recorder
        self._ended = ended
        self._log = ExecutionLog(machine.logging, record["executionArn"], machine.name, record["startDate"])
        self.env = self._environment(value)
        self.thread = threading.Thread(target=self._run, name=f"execution-{record['name']}", daemon=True)

    def _environment(self, value: Any) -> LocalEnvironment:
        cloud = self._cloud
        env = LocalEnvironment(
            aws_execution_details=AWSExecutionDetails(cloud.account, cloud.region, self.record["roleArn"]),
            execution_type=StateMachineType.STANDARD,
            context=self._context_object(value),
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        env.runtime = Runtime(
            clock=cloud.clock,
            region=cloud.region,
            client=self._client,
            wait_for_job=self._wait_for_job,
            publish=self._publish,
            idle=lambda: parse_next(self._machine.definition),
            baked=self._baked,
        )
        env.event_manager = History(env)
        return env

    def _context_object(self, value: Any) -> dict[str, Any]:
        """What a definition reads as `$states.context`.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
        """
        record = self.record
        return {
            "Execution": {
                "Id": record["executionArn"],
                "Input": value,
                "Name": record["name"],
                "RoleArn": record["roleArn"],
                "StartTime": _iso(record["startDate"]),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": record["stateMachineArn"], "Name": self._machine.name},
        }

    def _client(self, service: str, role_arn: str) -> BaseClient:
        check_trust(self._cloud, role_arn, self.record["stateMachineArn"])
        return self._cloud.client(service, role_arn, via=PRINCIPAL)

    def _wait_for_job(self, kind: str, name: str, timeout: float | None) -> dict[str, Any] | None:
        sagemaker: Any = self._cloud.services["sagemaker"]
        found: dict[str, Any] | None = sagemaker.wait(kind, name, timeout)
        return found

    def _baked(self, seconds: float) -> float:
        """As long as an update of the endpoint bakes; a pipeline's endpoint has the name of its state machine."""
        sagemaker: Any = self._cloud.services["sagemaker"]
        return float(sagemaker.endpoints.rehearsals.seconds(self._machine.name, seconds))

    def _publish(self, event: dict[str, Any]) -> None:
        kept = {**event, "timestamp": event["timestamp"].timestamp()}
        self.events.append(kept)
        self._recorder.put(history_stream(self.record["executionArn"]), kept, self._log.line(kept))

    def _run(self) -> None:
        try:
            self._tell()
            self._begin()
            program_of(self._machine.definition).eval(self.env)
        except Exception as error:  # a slip of ours ends the execution, visibly
            log.exception("The execution %s could not be run", self.record["executionArn"])
            self.env.set_error({"error": "States.Runtime", "cause": f"{type(error).__name__}: {error}"})
        self.record = {**self.record, **self._outcome(), "stopDate": round(self._cloud.clock.time(), 3)}
        try:
            self._ended(self)
        except Exception:  # nobody else sees this thread's end
            log.exception("The end of %s could not be written down", self.record["executionArn"])
        self._tell()

    def _outcome(self) -> dict[str, Any]:
        try:
            return self._result()
        except Exception as error:  # an output that is no JSON: the execution has ended all the same
            log.exception("The output of %s could not be written", self.record["executionArn"])
            return {"status": "FAILED", "error": "States.Runtime", "cause": f"{type(error).__name__}: {error}"}

    def _tell(self) -> None:
        try:
            tell_status(self._cloud, self.record)
        except Exception:  # what listens must not change what it listens to
            log.exception("The status of %s could not be told", self.record["executionArn"])

    def _begin(self) -> None:
        details: Any = {
            "input": self.record["input"],
            "inputDetails": {"truncated": False},
            "roleArn": self.record["roleArn"],
        }
        self.env.event_manager.add_event(
            self.env.event_history_context,
            HistoryEventType.ExecutionStarted,
            EventDetails(executionStartedEventDetails=details),
            update_source_event_id=False,
        )

    def _result(self) -> dict[str, Any]:
        state = self.env._program_state  # noqa: SLF001  # moto's accessor copies it
        if isinstance(state, ProgramEnded):
            return {"status": "SUCCEEDED", "output": to_json_str(self.env.states.get_input(), separators=(",", ":"))}
        if isinstance(state, ProgramError):
            return {"status": "FAILED", **(state.error or {})}
        if isinstance(state, ProgramStopped):
            reason = {"error": state.error, "cause": state.cause}
            return {"status": "ABORTED", **{key: value for key, value in reason.items() if value is not None}}
        return {"status": "TIMED_OUT"}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
