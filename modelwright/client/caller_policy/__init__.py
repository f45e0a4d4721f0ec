"""What who calls needs of IAM, by what they do: the smallest policy, for one environment and its pipelines.

Each statement names what it is for in its `Sid`. A test runs the commands as a role with exactly these policies, and
finds every action used. `python -m modelwright.client.caller_policy` writes the page about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.caller_policy.asking import export_policy, later_policy, open_policy
from modelwright.client.caller_policy.batch import batch_policy
from modelwright.client.caller_policy.deploying import deploy_policy
from modelwright.client.caller_policy.destroying import destroy_policy
from modelwright.client.caller_policy.place import Place, place_of
from modelwright.client.caller_policy.running import produce_policy, run_policy
from modelwright.client.caller_policy.statements import Statement, document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLICIES: Mapping[str, Callable[[Place], list[Statement]]] = {
    "run": run_policy,
    "deploy": deploy_policy,
    "produce": produce_policy,
    "export": export_policy,
    "open": open_policy,
    "later": later_policy,
    "batch": batch_policy,
    "destroy": destroy_policy,
}
"""By the word that `modelwright doctor --policy` takes."""

__all__ = [
    "POLICIES",
    "Place",
    "Statement",
    "batch_policy",
    "deploy_policy",
    "destroy_policy",
    "document",
    "export_policy",
    "later_policy",
    "open_policy",
    "place_of",
    "produce_policy",
    "run_policy",
]
