"""CreateEndpoint and its neighbours: what state an endpoint is in, and what its requests go to.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html

A deployment that the end of the local cloud cut off is not taken up again (the execution that asked for it is broken
too): a new endpoint is Failed then, an updated one is InService with what it served before.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoint_deployment import Deployer, PlanError, RolledBack, ServerFailed
from modelwright.local.sagemaker.endpoint_fleet import Fleet, Traffic
from modelwright.local.sagemaker.endpoint_guardrails import check_deployment
from modelwright.local.sagemaker.endpoint_records import BUSY, SERVING, announce, described
from modelwright.local.sagemaker.listing import page
from modelwright.local.sagemaker.resources import Resources
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoint_configs import EndpointConfigs
    from modelwright.local.sagemaker.models import Models
    from modelwright.local.service import Call, Caller

LONGEST_REASON = 1024
STATE_MACHINES = "states.amazonaws.com"
HOLD_SECONDS = 0.5
BAKE_VARIABLE = "MODELWRIGHT_LONGEST_BAKE_SECONDS"
"""how long a WaitIntervalInSeconds is really waited for; without it not at all: nobody sends traffic to a laptop"""
_log = logging.getLogger(__name__)


class Endpoints:
    """Endpoints, each a record in the database and, once it is asked, a fleet of server processes."""

    operations = frozenset({"CreateEndpoint", "UpdateEndpoint", "DescribeEndpoint", "ListEndpoints", "DeleteEndpoint"})

    def __init__(self, cloud: Cloud, models: Models, configs: EndpointConfigs) -> None:
        """Nothing runs before `start`."""
        self._cloud = cloud
        self._configs = configs
        self._kept = Resources(cloud, "endpoint", "endpoint", "endpoint")
        self._deployer = Deployer(cloud, models, float(os.environ.get(BAKE_VARIABLE, "0")))
        self._changed = threading.Condition(threading.RLock())
        self._traffic: dict[str, Traffic] = {}
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Bring the records into a state that is true again. Servers start with an endpoint's first request."""
        self._deployer.clear()
        for record in self._kept.all():
            reason = "The local cloud ended during this deployment."
            if record["EndpointStatus"] in ("Creating", "Updating", "RollingBack"):
                status = "Failed" if record["EndpointStatus"] == "Creating" else "InService"
                self._kept.put(record["EndpointName"], {**record, **_settled(status, reason)})
            elif record["EndpointStatus"] == "Deleting":
                self._kept.delete(record["EndpointName"])

    def stop(self) -> None:
        """End all servers at once; the records say what is to serve next time."""
        self._stopping.set()
        with self._changed:
            traffics, threads = list(self._traffic.values()), list(self._threads)
            self._changed.notify_all()
        for fleet in (traffic.fleet for traffic in traffics):
            if fleet is not None:
                fleet.stop(drain_seconds=0, grace_seconds=0)
        for thread in threads:
            thread.join(1.0)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        return {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "DescribeEndpoint": lambda params: self._describe(params["EndpointName"], call.caller),
            "ListEndpoints": self._list,
            "DeleteEndpoint": self._delete,
        }[call.operation](call.params)

    def wait(self, name: str, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the endpoint's description once nothing is under way for it, None when the time is over before."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_settled(name), timeout):
                return None
            return described(self._kept.get(name))

    def traffic(self, name: str) -> Traffic:
        """Return what an endpoint's requests go to, its servers started if none are; AwsError when none can serve."""
        record = self._kept.find(name)
        if record is None:
            raise AwsError("ValidationError", f"Endpoint {name} of account {self._cloud.account} not found.")
        if record["EndpointStatus"] not in SERVING or not record.get("Plan"):
            message = f"Endpoint {name} of account {self._cloud.account} is {record['EndpointStatus']}, not InService."
            raise AwsError("ValidationError", message)
        traffic = self._traffic_of(name)
        if traffic.fleet is None:
            self._start_fleet(name, record["Plan"], traffic)
        return traffic

    def _start_fleet(self, name: str, plan: list[dict[str, Any]], traffic: Traffic) -> None:
        with traffic.starting:
            if traffic.fleet is None and not self._stopping.is_set():
                try:
                    traffic.route((self._deployer.fleet(name, plan), 1.0))
                except ServerFailed as error:
                    raise AwsError("ServiceUnavailable", f"Endpoint {name}: {error}", 503) from None

    def _traffic_of(self, name: str) -> Traffic:
        with self._changed:
            return self._traffic.setdefault(name, Traffic())

    def _describe(self, name: str, caller: Caller) -> dict[str, Any]:
        """Describe an endpoint; a state machine that asks while it is busy is answered when it changes, or a bit later.

        So a state machine that polls, as it must on AWS, is neither kept waiting here nor asks a hundred times.
        """
        record = self._kept.get(name)
        if caller.via == STATE_MACHINES and record["EndpointStatus"] in BUSY:
            self.wait(name, HOLD_SECONDS)
            record = self._kept.get(name)
        return described(record)

    def _is_settled(self, name: str) -> bool:
        record = self._kept.find(name)
        return record is None or record["EndpointStatus"] not in BUSY

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        name, config = params["EndpointName"], self._configs.get(params["EndpointConfigName"])
        check_deployment("CreateEndpoint", params, config)
        now = self._cloud.clock.now()
        record = {
            "EndpointName": name,
            "EndpointArn": self._kept.arn(name),
            "EndpointConfigName": config["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": now,
            "LastModifiedTime": now,
            "Plan": None,
            "Pending": {**_pending(params), "StartTime": now},
        }
        self._kept.create(name, record, params.get("Tags", []))
        announce(self._cloud, record)
        self._spawn(name, self._deploy)
        return {"EndpointArn": record["EndpointArn"]}

    def _update(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("RetainAllVariantProperties") or params.get("ExcludeRetainedVariantProperties"):
            message = "The local cloud does not support RetainAllVariantProperties; give counts in the configuration."
            raise AwsError("ValidationException", message)
        name, config = params["EndpointName"], self._configs.get(params["EndpointConfigName"])
        check_deployment("UpdateEndpoint", params, config)
        with self._changed:
            record = self._kept.get(name)
            self._refuse_busy(record, "update")
            if record["EndpointStatus"] != "InService":
                message = f'Cannot update endpoint "{record["EndpointArn"]}" with status {record["EndpointStatus"]}.'
                raise AwsError("ValidationException", message)
            now = self._cloud.clock.now()
            record.pop("FailureReason", None)
            record.update(
                EndpointStatus="Updating", Pending={**_pending(params), "StartTime": now}, LastModifiedTime=now
            )
            self._kept.put(name, record)
        announce(self._cloud, record)
        self._spawn(name, self._deploy)
        return {"EndpointArn": record["EndpointArn"]}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            record = self._kept.get(params["EndpointName"])
            self._refuse_busy(record, "delete")
            record.update(EndpointStatus="Deleting", LastModifiedTime=self._cloud.clock.now())
            self._kept.put(params["EndpointName"], record)
        announce(self._cloud, record)
        self._spawn(params["EndpointName"], self._remove)
        return {}

    def _refuse_busy(self, record: dict[str, Any], verb: str) -> None:
        if record["EndpointStatus"] in BUSY:
            message = f'Cannot {verb} in-progress endpoint "{record["EndpointArn"]}".'
            raise AwsError("ValidationException", message)

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("StatusEquals")
        kept = [record for record in self._kept.all() if wanted in (None, record["EndpointStatus"])]
        found, more = page(kept, params, "EndpointName", "Descending", "EndpointStatus")
        members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        return {"Endpoints": [{key: record[key] for key in members} for record in found], **more}

    def _spawn(self, name: str, work: Callable[[str], None]) -> None:
        def run() -> None:
            try:
                work(name)
            except Exception:  # noqa: BLE001  # the thread's end: it is in the log, and the record says what was reached
                _log.exception("a change of an endpoint failed endpoint=%s", name)
            finally:
                with self._changed:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"endpoint-{name}", daemon=True)
        with self._changed:
            self._threads.add(thread)
        thread.start()

    def _deploy(self, name: str) -> None:
        record = self._kept.get(name)
        try:
            plan, old, fleet = self._put_into_service(record)
        except (PlanError, ServerFailed, RolledBack, AwsError) as error:
            reason = error.message if isinstance(error, AwsError) else str(error)
            self._fail(record, reason, rolled_back=isinstance(error, RolledBack))
        except Exception as error:  # noqa: BLE001  # a fault of ours must not leave the endpoint busy for ever
            _log.exception("a deployment failed endpoint=%s", name)
            self._fail(record, f"InternalError: {error}", rolled_back=False)
        else:
            record["Plan"], record["EndpointConfigName"] = plan, record["Pending"]["EndpointConfigName"]
            if record["Pending"].get("DeploymentConfig") is not None:
                record["LastDeploymentConfig"] = record["Pending"]["DeploymentConfig"]
            self._settle(record, "InService", None)
            if old is not None and old is not fleet:
                old.stop()

    def _put_into_service(self, record: dict[str, Any]) -> tuple[list[dict[str, Any]], Fleet | None, Fleet]:
        name, pending = record["EndpointName"], record["Pending"]
        deployment = pending.get("DeploymentConfig")
        plan = self._deployer.plan(self._configs.get(pending["EndpointConfigName"]))
        fleet = self._deployer.fleet(name, plan)
        traffic = self._traffic_of(name)
        try:
            with traffic.starting:
                old = traffic.fleet
                self._deployer.shift(traffic, fleet, plan, deployment, self._stopping)
        except BaseException:
            fleet.stop(drain_seconds=1)
            raise
        return plan, old, fleet

    def _fail(self, record: dict[str, Any], reason: str, *, rolled_back: bool) -> None:
        if self._stopping.is_set():
            return  # its servers were ended, not its deployment; start() says what is true
        if record["EndpointStatus"] == "Creating":
            self._settle(record, "Failed", reason)
            return
        if rolled_back:
            record["EndpointStatus"] = "RollingBack"
            self._write(record)
        self._settle(record, "InService", reason)

    def _settle(self, record: dict[str, Any], status: str, reason: str | None) -> None:
        record.pop("FailureReason", None)
        record.update(_settled(status, reason))
        self._write(record)

    def _write(self, record: dict[str, Any]) -> None:
        record["LastModifiedTime"] = self._cloud.clock.now()
        with self._changed:
            self._kept.put(record["EndpointName"], record)
            self._changed.notify_all()
        announce(self._cloud, record)

    def _remove(self, name: str) -> None:
        with self._changed:
            traffic = self._traffic.pop(name, None)
        fleet = traffic.fleet if traffic is not None else None
        if fleet is not None:
            fleet.stop()
        with self._changed:
            self._kept.delete(name)
            self._changed.notify_all()


def _settled(status: str, reason: str | None) -> dict[str, Any]:
    told = {} if reason is None else {"FailureReason": reason[:LONGEST_REASON]}
    return {"EndpointStatus": status, "Pending": None, **told}


def _pending(params: dict[str, Any]) -> dict[str, Any]:
    return {"EndpointConfigName": params["EndpointConfigName"], "DeploymentConfig": params.get("DeploymentConfig")}
