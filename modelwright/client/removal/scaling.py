"""Take away what lets an endpoint scale: it is no part of the endpoint, and no stack's.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import stack_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_FROM_ZERO = "from-zero"
"""What `lambdas/shared/scaling.py` names the alarm that starts the first machine, and its policy."""
_POLICIES = frozenset({"follow-load", _FROM_ZERO})
"""What `lambdas/scale_endpoint` names the policies that it sets."""


def end_scaling(session: Session, endpoint: str) -> None:
    """Deregister the endpoint's variants, with their policies and alarms; one that does not scale is fine, too.

    SageMaker would do so itself, for whoever may; so the caller needs the right to it in any case.
    """
    found = session.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    for variant in found.get("ProductionVariants", []):
        _deregister(session.client("application-autoscaling"), f"endpoint/{endpoint}/variant/{variant['VariantName']}")


def end_unwanted(session: Session, environment: str, pipelines: Iterable[PipelineSettings]) -> Iterator[str]:
    """End the scaling that runs of these pipelines set, where `autoscaling` has gone from the settings; yield what was.

    A run cannot: its functions lost the right to it with the setting. UpdateEndpoint leaves scalable targets as they
    are, and refuses another machine or the removal of a variant while there are any:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    What a person set by hand has other policies, and stays.
    """
    wanted = {f"endpoint/{stack_name(environment, each.name)}/" for each in pipelines if not each.deploy.autoscaling}
    if not wanted:
        return
    client = session.client("application-autoscaling")
    pages = client.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="sagemaker")
    ours = [each for page in pages for each in page["ScalingPolicies"] if each["PolicyName"] in _POLICIES]
    for resource in dict.fromkeys(each["ResourceId"] for each in ours):
        endpoint = resource.split("/")[1]
        if f"endpoint/{endpoint}/" not in wanted:
            continue
        if _deregister(client, resource):
            remove_alarm(session, endpoint)
            variant = resource.rpartition("/")[2]
            yield f"{endpoint}: {variant} scales no more, as nothing in the settings asks for it"


def _deregister(client: Any, resource: str) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    try:
        client.deregister_scalable_target(
            ServiceNamespace="sagemaker", ResourceId=resource, ScalableDimension=_DIMENSION
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ObjectNotFoundException":
            raise
        return False
    return True


def remove_alarm(session: Session, endpoint: str) -> None:
    """Remove the alarm that would start the endpoint's first machine; one that is not there is fine, too."""
    session.client("cloudwatch").delete_alarms(AlarmNames=[f"{endpoint}-{_FROM_ZERO}"])
