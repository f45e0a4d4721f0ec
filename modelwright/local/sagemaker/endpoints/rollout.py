"""Carries out what was asked of an endpoint, each change in a thread: deploy, remove, start again after a restart."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.deployment import CutOff, Deployer, Move, PlanError, RolledBack, ServerFailed
from modelwright.local.sagemaker.endpoints.plan import retained
from modelwright.local.sagemaker.endpoints.records import SERVING
from modelwright.local.sagemaker.endpoints.scaling import changed, reached
from modelwright.local.sagemaker.hosting.fleet import Fleet, Traffic
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.local.sagemaker.endpoints.configs import EndpointConfigs
    from modelwright.local.sagemaker.endpoints.store import EndpointStore

_AT_ONCE = {"drain_seconds": 0, "grace_seconds": 0}
_log = logging.getLogger(__name__)


class Rollout:
    """The fleets that serve, by endpoint, and the changes that are under way."""

    def __init__(self, store: EndpointStore, deployer: Deployer, configs: EndpointConfigs) -> None:
        """Nothing serves yet."""
        self._store = store
        self._deployer = deployer
        self._configs = configs
        self._lock = threading.Lock()
        self._traffic: dict[str, Traffic] = {}
        self._threads: dict[threading.Thread, str] = {}
        self._stopping = threading.Event()

    def traffic(self, name: str) -> Traffic:
        """Return what an endpoint's requests go to; its servers are started if none are, as after a restart.

        AwsError when they cannot be, or the endpoint is being deleted.
        """
        traffic = self._traffic_of(name)
        if traffic.fleet is None:
            with traffic.starting:
                if traffic.fleet is None:
                    self._start(name, traffic)
        return traffic

    def running(self) -> dict[str, Fleet]:
        """The fleets that get most of their endpoint's requests now; none of an endpoint that was not asked yet."""
        with self._lock:
            traffics = dict(self._traffic)
        return {name: fleet for name, traffic in traffics.items() if (fleet := traffic.fleet) is not None}

    def deploy(self, name: str) -> None:
        """Put the endpoint's pending configuration into service; returns at once."""
        self._spawn(name, self._deploy)

    def scale(self, name: str, wanted: Sequence[dict[str, Any]]) -> None:
        """Give what serves other weights and counts; returns at once."""
        self._spawn(name, lambda name: self._scale(name, wanted))

    def remove(self, name: str) -> None:
        """End the endpoint's servers and drop its record; returns at once."""
        self._spawn(name, self._remove)

    def stop(self) -> None:
        """End all servers at once; the records say what is to serve next time."""
        with self._lock:
            self._stopping.set()
            traffics, threads = list(self._traffic.values()), list(self._threads)
        for traffic in traffics:
            for fleet in traffic.close():
                fleet.stop(**_AT_ONCE)
        for thread in threads:
            thread.join(1.0)

    def _start(self, name: str, traffic: Traffic) -> None:
        """Start what the record says now: the caller may have read it before a change, or before the deletion."""
        record = self._store.get(name)
        if traffic.closed or record["EndpointStatus"] not in SERVING:
            raise AwsError("ValidationError", f"Endpoint {name} is being deleted.")
        try:
            fleet = self._deployer.fleet(name, record["Plan"], record["EndpointConfigName"])
        except ServerFailed as error:
            raise AwsError("ServiceUnavailable", f"Endpoint {name}: {error}", 503) from None
        traffic.route((fleet, 1.0))
        if traffic.closed:
            fleet.stop(**_AT_ONCE)
            raise AwsError("ServiceUnavailable", f"Endpoint {name}: the local cloud ends.", 503)

    def _traffic_of(self, name: str) -> Traffic:
        with self._lock:
            traffic = self._traffic.setdefault(name, Traffic())
            if self._stopping.is_set():
                traffic.close()
            return traffic

    def _spawn(self, name: str, work: Callable[[str], None]) -> None:
        def run() -> None:
            try:
                work(name)
            except Exception:  # noqa: BLE001  # the thread's end: it is in the log, and the record says what was reached
                _log.exception("a change of an endpoint failed endpoint=%s", name)
            finally:
                with self._lock:
                    self._threads.pop(thread, None)

        thread = threading.Thread(target=run, name=f"endpoint-{name}", daemon=True)
        with self._lock:
            self._threads[thread] = name
        thread.start()

    def _deploy(self, name: str) -> None:
        record = self._store.get(name)
        try:
            plan, old = self._put_into_service(record)
        except (PlanError, ServerFailed, RolledBack) as error:
            self._fail(record, str(error))
        except AwsError as error:
            self._fail(record, error.message)
        except CutOff:
            _log.info("a deployment was cut off by the end of the local cloud endpoint=%s", name)
        except Exception as error:  # noqa: BLE001  # a fault of ours must not leave the endpoint busy for ever
            _log.exception("a deployment failed endpoint=%s", name)
            self._fail(record, f"InternalError: {error}")
        else:
            record["Plan"], record["EndpointConfigName"] = plan, record["Pending"]["EndpointConfigName"]
            if record["Pending"]["DeploymentConfig"] is not None:
                record["LastDeploymentConfig"] = record["Pending"]["DeploymentConfig"]
            self._store.settle(record, "InService", None)
            if old is not None:
                self._end(old)

    def _scale(self, name: str, wanted: Sequence[dict[str, Any]]) -> None:
        record, reason = self._store.get(name), None
        traffic = self._traffic_of(name)
        with traffic.starting:
            if traffic.fleet is None:
                record["Plan"] = changed(record["Plan"], wanted)
            else:
                record["Plan"], reason = reached(traffic.fleet, record["Plan"], wanted)
            if not self._stopping.is_set():  # and before a request may start servers by the record
                self._store.settle(record, "InService", reason)

    def _put_into_service(self, record: dict[str, Any]) -> tuple[list[dict[str, Any]], Fleet | None]:
        """Return what is served now, and the fleet that served before."""
        name, pending = record["EndpointName"], record["Pending"]
        self._at(record, "Creating")
        plan = self._deployer.plan(self._configs.get(pending["EndpointConfigName"]))
        if pending.get("Retain") is not None:
            plan = retained(plan, record["Plan"], pending["Retain"])
        first = self._deployer.first(plan, pending["DeploymentConfig"])
        fleet = self._deployer.fleet(name, first, pending["EndpointConfigName"])
        pending["Plan"] = plan
        traffic, old = self._traffic_of(name), None
        try:
            with traffic.starting:
                old = traffic.fleet
                moved = Move(name, traffic, fleet, plan, pending["DeploymentConfig"])
                self._deployer.shift(moved, self._stopping, lambda stage: self._at(record, stage))
                _check_open(traffic)
        except BaseException as error:
            if isinstance(error, RolledBack) and record["EndpointStatus"] == "Updating":
                record["EndpointStatus"] = "RollingBack"  # the traffic is back; the new fleet ends what it has
                self._store.write(record)
            self._end(fleet)
            if old is not None and self._stopping.is_set():
                self._end(old)
            raise
        return plan, old

    def _end(self, fleet: Fleet) -> None:
        """End a fleet that gets no requests any more: when it has answered those it has, or with the local cloud."""
        fleet.stop(**(_AT_ONCE if self._stopping.is_set() else {}))

    def _at(self, record: dict[str, Any], stage: str) -> None:
        """Keep what DescribeEndpoint says of a deployment that is under way."""
        record["Pending"]["Stage"] = stage
        if not self._stopping.is_set():
            self._store.note(record)

    def _fail(self, record: dict[str, Any], reason: str) -> None:
        if self._stopping.is_set():
            return  # its servers were ended, not its deployment; EndpointStore.recover says what is true
        self._store.settle(record, "Failed" if record["EndpointStatus"] == "Creating" else "InService", reason)

    def _remove(self, name: str) -> None:
        traffic = self._traffic_of(name)
        with traffic.starting:
            fleets = traffic.close()
        for fleet in fleets:
            fleet.stop()
        self._join(name)
        self._deployer.clear(name)
        with self._lock:
            self._traffic.pop(name, None)
        self._store.delete(name)

    def _join(self, name: str) -> None:
        """Wait for the changes of an endpoint before this one: the fleet that an update replaced may still drain."""
        with self._lock:
            others = [thread for thread, each in self._threads.items() if each == name]
        for thread in others:
            if thread is not threading.current_thread():
                thread.join()


def _check_open(traffic: Traffic) -> None:
    """Raise CutOff when nothing was routed: the local cloud has ended all servers meanwhile."""
    if traffic.closed:
        raise CutOff
