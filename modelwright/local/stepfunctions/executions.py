"""Executions: started, run in threads of their own, stopped, and found again after the cloud was killed."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

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

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions.environment import LocalEnvironment
from modelwright.local.stepfunctions.history import History
from modelwright.local.stepfunctions.machines import PRINCIPAL, Machine, check_trust, valid_name
from modelwright.local.stepfunctions.programs import parse_next, program_of
from modelwright.local.stepfunctions.recorder import Recorder
from modelwright.local.stepfunctions.records import Records, history_stream
from modelwright.local.stepfunctions.runtime import Runtime
from modelwright.local.stepfunctions.telemetry import ExecutionLog, tell_status

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from modelwright.local.cloud import Cloud

log = logging.getLogger(__name__)

MAX_INPUT_BYTES: Final = 262_144
KILLED: Final = {
    "error": "States.Runtime",
    "cause": "The local cloud was killed while this execution ran; start it again.",
}
STOPPED: Final = "The local cloud was stopped while this execution ran; start it again."


class Executions:
    """Every execution of the local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.records = Records(cloud.database)
        self._cloud = cloud
        self._recorder = Recorder(cloud.database, cloud.log)
        self._running: dict[str, _Run] = {}
        self._closed = False
        self._lock = threading.Lock()

    def start(self, machine: Machine, name: str | None, text: str, trace: str | None = None) -> dict[str, Any]:
        """Start an execution and give its record; the same name and input again, while it runs, is the same one."""
        name = name or str(uuid.uuid4())
        value = _parsed(text)
        if not valid_name(name):
            raise AwsError("InvalidName", f"Invalid Name: '{name}'")
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        with self._lock:
            if self._closed:
                raise AwsError("InternalFailure", "The local cloud is being stopped.", 500)
            existing = self.records.get(arn)
            if existing is not None:
                if existing["status"] == "RUNNING" and existing["input"] == text:
                    return existing
                raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            record = self._record(machine, arn, name, text, trace)
            self.records.put(record)
            run = _Run(self, machine, record, value)
            run.thread.start()  # who finds it may stop it, and wait for it
            self._running[arn] = run
        return record

    def stop(self, arn: str, error: str | None, cause: str | None) -> Any:
        """Stop an execution and wait until it is recorded; give the time at which it ended."""
        run = self._run_of(arn)
        if run is not None:
            run.env.set_stop(self._cloud.clock.now(), cause, error)
            run.thread.join()
        return self.get(arn)["stopDate"]

    def get(self, arn: str) -> dict[str, Any]:
        """Give an execution's record; ExecutionDoesNotExist when there is none."""
        record = self.records.get(arn)
        if record is None:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return record

    def history(self, arn: str) -> list[dict[str, Any]]:
        """Give the history as far as it has come; what is given is written."""
        run = self._run_of(arn)
        events = None if run is None else list(run.events)
        self._recorder.flush()
        return self.records.history(arn) if events is None else events

    def flush(self) -> None:
        """Return when the histories are written as far as they have come."""
        self._recorder.flush()

    def recover(self) -> None:
        """End what ran when the local cloud was killed, as failed, in the record and in the history."""
        for found in self.records.all():
            if found["status"] == "RUNNING" and found["executionArn"] not in self._running:
                self._fail_killed(self.get(found["executionArn"]))

    def close(self) -> None:
        """Stop what runs, record it, and end the recorder."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for arn in running:
            self.stop(arn, "States.Runtime", STOPPED)
        self._recorder.close()

    def wait(self, arn: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until an execution has ended, or `timeout` seconds; give its record."""
        run = self._run_of(arn)
        if run is not None:
            run.thread.join(timeout)
        return self.get(arn)

    def _run_of(self, arn: str) -> _Run | None:
        with self._lock:
            return self._running.get(arn)

    def _fail_killed(self, record: dict[str, Any]) -> None:
        arn, now = record["executionArn"], self._cloud.clock.time()
        history = self.records.history(arn)
        last = history[-1]["id"] if history else 0
        entered = next(
            (e["stateEnteredEventDetails"]["name"] for e in reversed(history) if "stateEnteredEventDetails" in e), None
        )
        reason = {**KILLED, "cause": f"{KILLED['cause']} Last state: {entered}."} if entered else KILLED
        event = {
            "id": last + 1,
            "previousEventId": last,
            "type": "ExecutionFailed",
            "timestamp": now,
            "executionFailedEventDetails": reason,
        }
        self.records.append_history(arn, [event])
        ended = {**record, "status": "FAILED", "stopDate": now, **reason}
        self.records.put(ended)
        tell_status(self._cloud, ended)

    def _record(self, machine: Machine, arn: str, name: str, text: str, trace: str | None) -> dict[str, Any]:
        record = {
            "executionArn": arn,
            "stateMachineArn": machine.arn,
            "name": name,
            "status": "RUNNING",
            "startDate": round(self._cloud.clock.time(), 3),
            "input": text,
            "roleArn": machine.role_arn,
            "definition": self.records.keep_definition(machine.definition),
            "machineName": machine.name,
        }
        return {**record, "traceHeader": trace} if trace else record

    def _ended(self, run: _Run) -> None:
        try:
            self._recorder.flush()
            self.records.put(run.record)
        finally:
            with self._lock:
                self._running.pop(run.record["executionArn"], None)


class _Run:
    """One execution while it runs."""

    def __init__(self, executions: Executions, machine: Machine, record: dict[str, Any], value: Any) -> None:
        self.record = record
        self.events: list[dict[str, Any]] = []
        """the history, so that who watches a running execution does not read it again and again"""
        self._executions = executions
        self._cloud = executions._cloud  # noqa: SLF001  # a part of it
        self._machine = machine
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
        self._executions._recorder.put(  # noqa: SLF001  # as above
            history_stream(self.record["executionArn"]), kept, self._log.line(kept)
        )

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
            self._executions._ended(self)  # noqa: SLF001  # as above
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


def _parsed(text: str) -> Any:
    if len(text.encode()) > MAX_INPUT_BYTES:
        raise AwsError("InvalidExecutionInput", f"The input is longer than {MAX_INPUT_BYTES} bytes.")
    try:
        return json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
