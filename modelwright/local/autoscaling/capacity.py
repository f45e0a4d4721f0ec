"""How many instances a variant has, and SageMaker asked for another number: an activity of the target."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.autoscaling.policy_alarms import split
from modelwright.local.autoscaling.scaling_records import DIMENSION
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.autoscaling.linked_role import LinkedRole
    from modelwright.local.autoscaling.scaling_records import ScalingRecords
    from modelwright.local.cloud import Cloud

SETTLED_WITHIN_SECONDS = 600


class Capacity:
    """The numbers of instances of registered variants, as the service-linked role sees and changes them."""

    def __init__(self, cloud: Cloud, records: ScalingRecords, role: LinkedRole) -> None:
        """Nothing is asked before it is needed."""
        self._cloud = cloud
        self._records = records
        self._role = role
        self._changed: dict[str, float] = {}

    def changed_at(self, resource: str) -> float:
        """Return since when a variant has the number that it was given here; minus infinity where it was given none."""
        return self._changed.get(resource, -math.inf)

    def current(self, resource: str) -> int | None:
        """How many instances a variant is to have; None of one that is not in service."""
        endpoint, variant = split(resource)
        try:
            found = self._cloud.client("sagemaker", self._role.arn).describe_endpoint(EndpointName=endpoint)
        except ClientError:
            return None
        if found["EndpointStatus"] != "InService":
            return None
        counts = {each["VariantName"]: each.get("DesiredInstanceCount") for each in found["ProductionVariants"]}
        return counts.get(variant)

    def change(self, resource: str, wanted: int, cause: str) -> bool:
        """Ask SageMaker for `wanted` instances and wait until they are there; whether they are."""
        endpoint, variant = split(resource)
        activity = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired instance count to {wanted}.",
            "Cause": cause,
            "StartTime": self._cloud.clock.now(),
            "StatusCode": "InProgress",
        }
        self._records.note(activity)
        problem = self._ask(endpoint, variant, wanted)
        done = f"Successfully set desired instance count to {wanted}. Change successfully fulfilled by sagemaker."
        failed = f"Failed to set desired instance count to {wanted}. Reason: {problem}"
        code, message = ("Successful", done) if problem is None else ("Failed", failed)
        ended = {"EndTime": self._cloud.clock.now(), "StatusCode": code, "StatusMessage": message}
        self._records.note({**activity, **ended})
        if problem is None:
            self._changed[resource] = self._cloud.clock.time()
        return problem is None

    def _ask(self, endpoint: str, variant: str, wanted: int) -> str | None:
        """Why the change was not made; None when it was."""
        client = self._cloud.client("sagemaker", self._role.arn)
        services: Mapping[str, Any] = self._cloud.services
        try:
            client.update_endpoint_weights_and_capacities(
                EndpointName=endpoint,
                DesiredWeightsAndCapacities=[{"VariantName": variant, "DesiredInstanceCount": wanted}],
            )
            found = services["sagemaker"].wait("Endpoint", endpoint, SETTLED_WITHIN_SECONDS)
        except ClientError as error:
            return str(error.response["Error"].get("Message"))
        except AwsError as error:
            return error.message
        counts = {
            each["VariantName"]: each["DesiredInstanceCount"] for each in (found or {}).get("ProductionVariants", ())
        }
        return None if counts.get(variant) == wanted else str((found or {}).get("FailureReason", "it takes too long"))
