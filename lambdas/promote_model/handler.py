"""State `PromoteModel`: approve the package, then move the champion pointer."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from promote_model.domain import Promotion, transaction
from shared.clients import client, error_code
from shared.env import read_env
from shared.errors import PipelineError
from shared.log import log
from shared.patience import pauses
from shared.table import champion_key, read_item


class LeaseLost(PipelineError):
    """Another run took the endpoint's lease, because this one held it for too long."""


class PointerContended(PipelineError):
    """Other writes of the same items came in between each time."""


CONFLICT_SECONDS = 10.0
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str
    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the champion. A second attempt after a first that went through changes nothing."""
    del context
    env = read_env(Env, os.environ)
    promotion = Promotion.from_event(event)
    result = {"champion": promotion.run, "modelPackageArn": promotion.package_arn}
    if _champion_run(env) == promotion.run:
        return result
    _approve(promotion.package_arn, "Approved", f"serves on {env.endpoint_name}")
    try:
        _move_pointer(env, promotion)
    except Exception:
        # What the registry calls approved is what serves: it may have been written, and only the answer was lost.
        if _champion_run(env) != promotion.run:
            _approve(promotion.package_arn, "Rejected", "deployed, but not promoted")
            raise
    log("champion moved", run=promotion.run, package=promotion.package_arn)
    return result


def _champion_run(env: Env) -> str | None:
    champion = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))
    return str(champion["run"]) if champion else None


def _approve(package_arn: str, status: str, reason: str) -> None:
    client("sagemaker").update_model_package(
        ModelPackageArn=package_arn, ModelApprovalStatus=status, ApprovalDescription=reason
    )


def _move_pointer(env: Env, promotion: Promotion) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    items = transaction(promotion, env.pipeline, env.endpoint_name, env.table_name, now)
    for pause in pauses(CONFLICT_SECONDS):
        reasons = _write(items)
        if reasons is None:
            return
        if "ConditionalCheckFailed" in reasons:
            raise LeaseLost(
                f"run {promotion.run} no longer holds the lease of {env.endpoint_name} (fence {promotion.fence}); "
                "another run deploys or has deployed."
            )
        time.sleep(pause)
    raise PointerContended(f"the champion of {env.pipeline} could not be written for {CONFLICT_SECONDS} seconds.")


def _write(items: list[dict[str, Any]]) -> set[str] | None:
    """Write all or nothing; return why nothing was written, or None.

    A conflict (another run asks for the lease in the same moment) cancels a transaction too, and passes.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    try:
        client("dynamodb").transact_write_items(TransactItems=items)
    except ClientError as error:
        reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
        if error_code(error) != "TransactionCanceledException" or not reasons & {*PASSING, "ConditionalCheckFailed"}:
            raise
        return reasons
    return None
