"""What a person has to know of a pipeline's endpoint beside its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.endpoints.untested import untested_run
from modelwright.client.removal.leavings import endpoint_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session


def endpoint_notes(session: Session, item: Deployment, environment: str, kind: str) -> Iterator[str]:
    """Yield why the endpoint is Failed, that the settings (`kind`) know of none, and whose untested model it has."""
    found = endpoint_config(session, item.endpoint_name)
    if found is None:
        return
    options = session.options
    if found.status == "Failed":
        yield f"The endpoint of {item.pipeline} is Failed: {found.reason or 'SageMaker gives no reason.'}"
    if kind == "none":
        yield (
            f"The endpoint of {item.pipeline} is still there (on AWS it costs on), though the settings say "
            "endpoint: none, and no run sees to it: write there what it was, or "
            f"`modelwright destroy {item.pipeline}{options}`, which keeps what was trained."
        )
    left = untested_run(session, item, environment, found.config)
    if left:
        promoted = "perhaps it was promoted, perhaps not" if left.perhaps_promoted else "it was not promoted"
        yield (
            f"The endpoint of {item.pipeline} has the model of run {left.run}, which {left.how}: {promoted}. "
            f"`modelwright show {left.run}{options}`; "
            f"`modelwright run {item.pipeline}{options}` deploys one that is tested."
        )
