"""The records of endpoints: kept before anything is answered, announced, waited for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.records import BUSY, announce, described
from modelwright.local.sagemaker.resources import Resources
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.cloud import Cloud

LONGEST_REASON = 1024
CUT_OFF = "The local cloud ended during this deployment."


class EndpointStore:
    """Every endpoint's record. Whoever waits for one is woken by its change; nobody has to poll."""

    def __init__(self, cloud: Cloud) -> None:
        """Keep records in the cloud's database."""
        self._cloud = cloud
        self._kept = Resources(cloud, "endpoint", "endpoint", "endpoint")
        self._changed = threading.Condition(threading.RLock())

    def recover(self) -> None:
        """Make the records true again after a start: what was under way has been cut off."""
        for record in self._kept.all():
            name, status = record["EndpointName"], record["EndpointStatus"]
            if status == "Deleting":
                self._kept.delete(name)
            elif status in BUSY:
                self._kept.put(name, _settled(record, "Failed" if status == "Creating" else "InService", CUT_OFF))

    def arn(self, name: str) -> str:
        """Return the ARN of the endpoint of that name."""
        return self._kept.arn(name)

    def all(self) -> list[dict[str, Any]]:
        """Return every record."""
        return self._kept.all()

    def find(self, name: str) -> dict[str, Any] | None:
        """Return a record, or None."""
        return self._kept.find(name)

    def get(self, name: str) -> dict[str, Any]:
        """Return a record; AwsError when there is none."""
        return self._kept.get(name)

    def create(self, record: dict[str, Any], tags: Sequence[Mapping[str, str]]) -> None:
        """Keep a new record; AwsError when there is one of that name."""
        self._kept.create(record["EndpointName"], record, tags)
        announce(self._cloud, record)

    def begin(self, name: str, verb: str, needed: frozenset[str], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a change of an endpoint whose status is one of `needed`; AwsError when it is busy or in another."""
        with self._changed:
            record = self._kept.get(name)
            if record["EndpointStatus"] in BUSY:
                raise AwsError("ValidationException", f'Cannot {verb} in-progress endpoint "{record["EndpointArn"]}".')
            if record["EndpointStatus"] not in needed:
                message = f'Cannot {verb} endpoint "{record["EndpointArn"]}" with status {record["EndpointStatus"]}.'
                raise AwsError("ValidationException", message)
            record.pop("FailureReason", None)
            record.update(changes)
            self._put(record)
        announce(self._cloud, record)
        return record

    def settle(self, record: dict[str, Any], status: str, reason: str | None) -> None:
        """End a change: nothing is under way any more."""
        record = _settled(record, status, reason)
        self.write(record)

    def write(self, record: dict[str, Any]) -> None:
        """Keep a changed record, wake who waits for it, tell EventBridge."""
        self._put(record)
        announce(self._cloud, record)

    def note(self, record: dict[str, Any]) -> None:
        """Keep a changed record that is no news to anybody who does not ask."""
        self._kept.put(record["EndpointName"], record)

    def delete(self, name: str) -> None:
        """Drop a record."""
        with self._changed:
            self._kept.delete(name)
            self._changed.notify_all()

    def wait(self, name: str, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the endpoint's description once nothing is under way for it, None when the time is over before.

        AwsError when there is no such endpoint, or no longer.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_settled(name), timeout):
                return None
            return described(self._kept.get(name))

    def _put(self, record: dict[str, Any]) -> None:
        record["LastModifiedTime"] = self._cloud.clock.now()
        with self._changed:
            self._kept.put(record["EndpointName"], record)
            self._changed.notify_all()

    def _is_settled(self, name: str) -> bool:
        record = self._kept.find(name)
        return record is None or record["EndpointStatus"] not in BUSY


def _settled(record: dict[str, Any], status: str, reason: str | None) -> dict[str, Any]:
    told = {} if reason is None else {"FailureReason": reason[:LONGEST_REASON]}
    before = {key: value for key, value in record.items() if key not in {"FailureReason", "Wanted"}}
    return {**before, "EndpointStatus": status, "Pending": None, **told}
