"""CreateEndpointConfig and its neighbours.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.config_rules import check_config
from modelwright.local.sagemaker.listing import page
from modelwright.local.sagemaker.resources import Resources
from modelwright.local.sagemaker.unsupported import refuse_members
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.registry.models import Models
    from modelwright.local.service import Call

NOT_YET = {
    "ExplainerConfig": "leave it out",
    "CrossRegionTrafficConfig": "leave it out",
    "MetricsConfig": "the metrics of AWS/SageMaker are recorded always",
    "ExecutionRoleArn": "name a model in each variant; inference components are not supported",
    "VpcConfig": "give it with the model",
}
_OF_A_VARIANT = {
    "ServerlessConfig.ProvisionedConcurrency": "every container starts with a request",
    "ManagedInstanceScaling": "give InitialInstanceCount",
    "AcceleratorType": "choose another InstanceType",
    "AcceleratorPartitionLayouts": "leave it out",
    "CoreDumpConfig": "read the endpoint's log group",
    "InstancePools": "give InstanceType",
    "VariantInstanceProvisionTimeoutInSeconds": "there is always room on this machine",
    "CapacityReservationConfig": "leave it out",
    "InferenceAmiVersion": "leave it out",
    "EnableSSMAccess": "read the endpoint's log group",
    "ModelDataDownloadTimeoutInSeconds": "the archive is on this machine already",
}
NOT_YET |= {
    f"{kind}.{member}": instead
    for kind in ("ProductionVariants", "ShadowProductionVariants")
    for member, instead in _OF_A_VARIANT.items()
}


class EndpointConfigs:
    """Endpoint configurations: which models are served, on how many instances, with what share of the requests."""

    operations = frozenset(
        {"CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig"}
    )

    def __init__(self, cloud: Cloud, models: Models) -> None:
        """Keep configurations in the cloud's database."""
        self._cloud = cloud
        self._models = models
        self._kept = Resources(cloud, "endpoint-config", "endpoint-config", "endpoint configuration")

    def start(self) -> None:
        """Tell the policies which key each kept configuration has: using it needs that key."""
        for config in self._kept.all():
            self._tell_key(config)

    def stop(self) -> None:
        """Nothing runs here."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        return {
            "CreateEndpointConfig": self._create,
            "DescribeEndpointConfig": lambda params: self._kept.get(params["EndpointConfigName"]),
            "ListEndpointConfigs": self._list,
            "DeleteEndpointConfig": self._delete,
        }[call.operation](call.params)

    def get(self, name: str) -> dict[str, Any]:
        """Return a configuration as DescribeEndpointConfig does; AwsError when there is none."""
        return self._kept.get(name)

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        refuse_members("CreateEndpointConfig", params, NOT_YET)
        if params.get("EnableNetworkIsolation"):
            message = (
                "The local cloud does not support EnableNetworkIsolation of a configuration; give it with the model."
            )
            raise AwsError("ValidationException", message)
        weighed: dict[str, Any] = {
            kind: [{"InitialVariantWeight": 1.0, **variant} for variant in params[kind]]
            for kind in ("ProductionVariants", "ShadowProductionVariants")
            if kind in params
        }
        check_config({**params, **weighed}, self._models)
        name, arn = params["EndpointConfigName"], self._kept.arn(params["EndpointConfigName"])
        body = {key: value for key, value in params.items() if key != "Tags"}
        now = self._cloud.clock.now()
        body.update(**weighed, EndpointConfigArn=arn, CreationTime=now)
        self._kept.create(name, body, params.get("Tags", []))
        self._tell_key(body)
        return {"EndpointConfigArn": arn}

    def _tell_key(self, config: dict[str, Any]) -> None:
        key = config.get("KmsKeyId")
        if key is not None:
            arn = key if key.startswith("arn:") else f"arn:aws:kms:{self._cloud.region}:{self._cloud.account}:key/{key}"
            self._cloud.iam.put_resource_key(config["EndpointConfigArn"], arn)

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        found, more = page(self._kept.all(), params, "EndpointConfigName", "Descending")
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return {"EndpointConfigs": [{key: config[key] for key in members} for config in found], **more}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        self._kept.delete(params["EndpointConfigName"])
        return {}
