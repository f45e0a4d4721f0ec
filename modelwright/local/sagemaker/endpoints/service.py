"""CreateEndpoint and its neighbours.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html

A deployment that the end of the local cloud cut off is not taken up again (the execution that asked for it is broken
too): a new endpoint is Failed then, an updated one is InService with what it served before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.config_rules import check_update
from modelwright.local.sagemaker.endpoints.deployment import Deployer
from modelwright.local.sagemaker.endpoints.deployment_rules import check_deployment
from modelwright.local.sagemaker.endpoints.records import BUSY, SERVING, described
from modelwright.local.sagemaker.endpoints.rehearsal import Rehearsals
from modelwright.local.sagemaker.endpoints.rollout import Rollout
from modelwright.local.sagemaker.endpoints.scaling import check_changes
from modelwright.local.sagemaker.endpoints.store import EndpointStore
from modelwright.local.sagemaker.hosting.asynchronous import AsyncQueue
from modelwright.local.sagemaker.listing import page
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.autoscaling.service import ApplicationAutoScaling
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoints.configs import EndpointConfigs
    from modelwright.local.sagemaker.hosting.fleet import Fleet, Traffic
    from modelwright.local.sagemaker.registry.models import Models
    from modelwright.local.service import Call, Caller

STATE_MACHINES = "states.amazonaws.com"
HOLD_SECONDS = 0.5


class Endpoints:
    """Endpoints, each a record in the database and, once it is asked, a fleet of server processes."""

    operations = frozenset(
        {
            *("CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"),
            *("DescribeEndpoint", "ListEndpoints", "DeleteEndpoint"),
        }
    )

    def __init__(self, cloud: Cloud, models: Models, configs: EndpointConfigs) -> None:
        """Nothing runs before `start`."""
        self._cloud = cloud
        self._configs = configs
        self.rehearsals = Rehearsals(cloud)
        """the endpoints whose updates bake, as requests are sent to them"""
        self._deployer = Deployer(cloud, models, self.rehearsals)
        self.queue = AsyncQueue(cloud, self)
        """what waits for asynchronous endpoints"""
        self._store = EndpointStore(cloud)
        self._rollout = Rollout(self._store, self._deployer, configs)

    def start(self) -> None:
        """Bring the records into a state that is true again. Servers start with an endpoint's first request."""
        self._deployer.clear()
        self._store.recover()
        self.queue.start()

    def stop(self) -> None:
        """End all servers at once; the records say what is to serve next time."""
        self.queue.stop()
        self._rollout.stop()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        if call.operation == "DescribeEndpoint":
            return self._describe(call.params["EndpointName"], call.caller)
        if call.operation == "DeleteEndpoint":
            return self._delete(call.params, call.caller)
        return {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._scale,
            "ListEndpoints": self._list,
        }[call.operation](call.params)

    def wait(self, name: str, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the endpoint's description once nothing is under way for it, None when the time is over before.

        AwsError when there is no such endpoint, or no longer.
        """
        return self._store.wait(name, timeout)

    def traffic(self, name: str) -> Traffic:
        """Return what an endpoint's requests go to, its servers started if none are; AwsError when none can serve."""
        record, account = self._store.find(name), self._cloud.account
        if record is None:
            raise AwsError("ValidationError", f"Endpoint {name} of account {account} not found.")
        if record["EndpointStatus"] not in SERVING or not record["Plan"]:
            status = record["EndpointStatus"]
            raise AwsError("ValidationError", f"Endpoint {name} of account {account} is {status}, not InService.")
        return self._rollout.traffic(name)

    def find(self, name: str) -> dict[str, Any] | None:
        """Return an endpoint's record, or None."""
        return self._store.find(name)

    def all(self) -> list[dict[str, Any]]:
        """Return every endpoint's record."""
        return self._store.all()

    def running(self) -> dict[str, Fleet]:
        """Return the fleets that serve now, by their endpoint."""
        return self._rollout.running()

    def first_variant(self, name: str) -> str:
        """Return the variant that an endpoint's requests are counted for when none of its servers took one."""
        return str((self._store.get(name)["Plan"] or [{"VariantName": ""}])[0]["VariantName"])

    def _scaling(self) -> ApplicationAutoScaling | None:
        """Who scales variants, where this cloud has that service."""
        services: dict[str, Any] = self._cloud.services
        return services.get("application-autoscaling")

    def _describe(self, name: str, caller: Caller) -> dict[str, Any]:
        """Describe an endpoint; a state machine that asks while it is busy is answered when it changes, or a bit later.

        So a state machine that polls, as it must on AWS, is neither kept waiting here nor asks a hundred times.
        """
        record = self._store.get(name)
        if caller.via == STATE_MACHINES and record["EndpointStatus"] in BUSY:
            self._store.wait(name, HOLD_SECONDS)
            record = self._store.get(name)
        return described(record)

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        config = self._configs.get(params["EndpointConfigName"])
        check_deployment(params, config)
        now, arn = self._cloud.clock.now(), self._store.arn(params["EndpointName"])
        record = {
            "EndpointName": params["EndpointName"],
            "EndpointArn": arn,
            "EndpointConfigName": params["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": now,
            "LastModifiedTime": now,
            "Plan": None,
            "Pending": self._pending(params),
        }
        self._store.create(record, params.get("Tags", []))
        self._rollout.deploy(params["EndpointName"])
        return {"EndpointArn": arn}

    def _update(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["EndpointName"]
        before = self._store.get(name)
        if params.get("RetainDeploymentConfig") and "DeploymentConfig" not in params:
            params = {**params, "DeploymentConfig": before.get("LastDeploymentConfig")}
        plan, config = before["Plan"] or [], self._configs.get(params["EndpointConfigName"])
        serving = [variant["VariantName"] for variant in plan if not variant.get("Shadow")]
        check_deployment(params, config, serving)
        check_update(config, plan)
        types = {variant["VariantName"]: variant.get("InstanceType") for variant in config["ProductionVariants"]}
        if (scaling := self._scaling()) is not None:
            scaling.check_update(name, types)
        changes = {"EndpointStatus": "Updating", "Pending": self._pending(params)}
        record = self._store.begin(name, "update", frozenset({"InService"}), changes)
        self._rollout.deploy(name)
        return {"EndpointArn": record["EndpointArn"]}

    def _scale(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateEndpointWeightsAndCapacities."""
        name, wanted = params["EndpointName"], params["DesiredWeightsAndCapacities"]
        check_changes(self._store.get(name)["Plan"] or [], wanted)
        changes = {"EndpointStatus": "Updating", "Wanted": wanted}
        record = self._store.begin(name, "update", frozenset({"InService"}), changes)
        self._rollout.scale(name, wanted)
        return {"EndpointArn": record["EndpointArn"]}

    def _delete(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = params["EndpointName"]
        self._store.get(name)
        scaling = self._scaling()
        if scaling is not None:
            scaling.check_delete(name, caller)
        self._store.begin(name, "delete", frozenset({"InService", "Failed"}), {"EndpointStatus": "Deleting"})
        if scaling is not None:
            scaling.forget(name)
        self.queue.forget(name)
        self._rollout.remove(name)
        return {}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("StatusEquals")
        kept = [record for record in self._store.all() if wanted in (None, record["EndpointStatus"])]
        found, more = page(kept, params, "EndpointName", "Descending", "EndpointStatus")
        members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        return {"Endpoints": [{key: record[key] for key in members} for record in found], **more}

    def _pending(self, params: dict[str, Any]) -> dict[str, Any]:
        return {
            "EndpointConfigName": params["EndpointConfigName"],
            "DeploymentConfig": params.get("DeploymentConfig"),
            "StartTime": self._cloud.clock.now(),
            "Retain": _excluded(params) if params.get("RetainAllVariantProperties") else None,
        }


def _excluded(params: dict[str, Any]) -> list[str]:
    return [each["VariantPropertyType"] for each in params.get("ExcludeRetainedVariantProperties", ())]
