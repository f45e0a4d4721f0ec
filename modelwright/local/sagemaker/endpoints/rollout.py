"""Carries out what was asked of an endpoint, each change in a thread: deploy, remove, start again after a restart."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.deployment import Deployer, Move, PlanError, RolledBack, ServerFailed
from modelwright.local.sagemaker.endpoints.plan import retained
from modelwright.local.sagemaker.endpoints.scaling import changed, reached
from modelwright.local.sagemaker.hosting.fleet import Fleet, Traffic
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.local.sagemaker.endpoints.configs import EndpointConfigs
    from modelwright.local.sagemaker.endpoints.store import EndpointStore

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
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()

    def traffic(self, name: str, plan: list[dict[str, Any]]) -> Traffic:
        """Return what an endpoint's requests go to; its servers are started if none are, as after a restart."""
        traffic = self._traffic_of(name)
        if traffic.fleet is None:
            with traffic.starting:
                if traffic.fleet is None:
                    self._start(name, plan, traffic)
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
        self._stopping.set()
        with self._lock:
            traffics, threads = list(self._traffic.values()), list(self._threads)
        for traffic in traffics:
            for fleet in traffic.close():
                fleet.stop(drain_seconds=0, grace_seconds=0)
        for thread in threads:
            thread.join(1.0)

    def _start(self, name: str, plan: list[dict[str, Any]], traffic: Traffic) -> None:
        if traffic.closed:
            raise AwsError("ValidationError", f"Endpoint {name} is being deleted.")
        try:
            config = self._store.get(name)["EndpointConfigName"]
            traffic.route((self._deployer.fleet(name, plan, config), 1.0))
        except ServerFailed as error:
            raise AwsError("ServiceUnavailable", f"Endpoint {name}: {error}", 503) from None

    def _traffic_of(self, name: str) -> Traffic:
        with self._lock:
            return self._traffic.setdefault(name, Traffic())

    def _spawn(self, name: str, work: Callable[[str], None]) -> None:
        def run() -> None:
            try:
                work(name)
            except Exception:  # noqa: BLE001  # the thread's end: it is in the log, and the record says what was reached
                _log.exception("a change of an endpoint failed endpoint=%s", name)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"endpoint-{name}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _deploy(self, name: str) -> None:
        record = self._store.get(name)
        try:
            plan, old = self._put_into_service(record)
        except (PlanError, ServerFailed, RolledBack) as error:
            self._fail(record, str(error))
        except AwsError as error:
            self._fail(record, error.message)
        except Exception as error:  # noqa: BLE001  # a fault of ours must not leave the endpoint busy for ever
            _log.exception("a deployment failed endpoint=%s", name)
            self._fail(record, f"InternalError: {error}")
        else:
            record["Plan"], record["EndpointConfigName"] = plan, record["Pending"]["EndpointConfigName"]
            if record["Pending"]["DeploymentConfig"] is not None:
                record["LastDeploymentConfig"] = record["Pending"]["DeploymentConfig"]
            self._store.settle(record, "InService", None)
            if old is not None:
                old.stop()

    def _scale(self, name: str, wanted: Sequence[dict[str, Any]]) -> None:
        record, reason = self._store.get(name), None
        traffic = self._traffic_of(name)
        with traffic.starting:
            if traffic.fleet is None:
                record["Plan"] = changed(record["Plan"], wanted)
            else:
                record["Plan"], reason = reached(traffic.fleet, record["Plan"], wanted)
        if not self._stopping.is_set():
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
        traffic = self._traffic_of(name)
        try:
            with traffic.starting:
                old = traffic.fleet
                moved = Move(name, traffic, fleet, plan, pending["DeploymentConfig"])
                self._deployer.shift(moved, self._stopping, lambda stage: self._at(record, stage))
        except BaseException as error:
            if isinstance(error, RolledBack) and record["EndpointStatus"] == "Updating":
                record["EndpointStatus"] = "RollingBack"  # the traffic is back; the new fleet ends what it has
                self._store.write(record)
            fleet.stop()
            raise
        return plan, old

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
        with self._lock:
            self._traffic.pop(name, None)
        self._store.delete(name)
