"""Executions: started, stopped, and found again after the cloud was killed."""

from __future__ import annotations

import json
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions.machines import Machine, valid_name
from modelwright.local.stepfunctions.recorder import Recorder
from modelwright.local.stepfunctions.records import Records
from modelwright.local.stepfunctions.run import Run
from modelwright.local.stepfunctions.telemetry import status_event, tell_status

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

MAX_INPUT_BYTES: Final = 262_144
KILLED: Final = {
    "error": "States.Runtime",
    "cause": "The local cloud was killed while this execution ran; start it again.",
}
_UNTOLD: Final = "states.untold"
"""Executions whose end was told when no rule heard it: at a start before the template, or while the cloud ended"""
STOPPED: Final = "The local cloud was stopped while this execution ran; start it again."


class Executions:
    """Every execution of the local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.records = Records(cloud.database)
        self._cloud = cloud
        self._recorder = Recorder(cloud.database, cloud.log)
        self._running: dict[str, Run] = {}
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
            run = Run(self._cloud, machine, record, value, recorder=self._recorder, ended=self._ended)
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

    def tell_again(self) -> None:
        """Publish the ends that nobody heard, now that the template's rules are there; rather twice than never."""
        for arn, _ in self._cloud.database.all(_UNTOLD):
            self._cloud.publish_event(status_event(self.get(arn)))
            self._cloud.database.delete(_UNTOLD, arn)

    def close(self) -> None:
        """Stop what runs, record it, and end the recorder."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for arn in running:
            self._cloud.database.put(_UNTOLD, arn, {})
            self.stop(arn, "States.Runtime", STOPPED)
        self._recorder.close()

    def wait(self, arn: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until an execution has ended, or `timeout` seconds; give its record."""
        run = self._run_of(arn)
        if run is not None:
            run.thread.join(timeout)
        return self.get(arn)

    def _run_of(self, arn: str) -> Run | None:
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
        self._cloud.database.put(_UNTOLD, arn, {})
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

    def _ended(self, run: Run) -> None:
        try:
            self._recorder.flush()
            self.records.put(run.record)
        finally:
            with self._lock:
                self._running.pop(run.record["executionArn"], None)


def _parsed(text: str) -> Any:
    if len(text.encode()) > MAX_INPUT_BYTES:
        raise AwsError("InvalidExecutionInput", f"The input is longer than {MAX_INPUT_BYTES} bytes.")
    try:
        return json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
