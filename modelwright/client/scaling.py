"""Take away what lets an endpoint scale: it is no part of the endpoint, and no stack's.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.client.session import Session

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_FROM_ZERO = "from-zero"
"""What `lambdas/shared/scaling.py` names the alarm that starts the first machine."""


def end_scaling(session: Session, endpoint: str) -> None:
    """Deregister the endpoint's variants, with their policies and alarms; one that does not scale is fine, too.

    SageMaker would do so itself, for whoever may; so the caller needs the right to it in any case.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    found = session.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    for variant in found.get("ProductionVariants", []):
        try:
            session.client("application-autoscaling").deregister_scalable_target(
                ServiceNamespace="sagemaker",
                ResourceId=f"endpoint/{endpoint}/variant/{variant['VariantName']}",
                ScalableDimension=_DIMENSION,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ObjectNotFoundException":
                raise


def remove_alarm(session: Session, endpoint: str) -> None:
    """Remove the alarm that would start the endpoint's first machine; one that is not there is fine, too."""
    session.client("cloudwatch").delete_alarms(AlarmNames=[f"{endpoint}-{_FROM_ZERO}"])
