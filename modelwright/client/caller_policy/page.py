"""The page about the callers' policies, docs/caller-policy.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.client.caller_policy import POLICIES
from modelwright.client.caller_policy.statements import document

if TYPE_CHECKING:
    from modelwright.client.caller_policy.place import Place

PAGE = Path(__file__).parents[3] / "docs" / "caller-policy.md"
_TITLES = {
    "run": "Who runs",
    "deploy": "Who deploys",
    "produce": "Who brings data",
    "export": "Who exports",
    "open": "Who tries a model",
    "later": "Who asks an asynchronous endpoint",
    "batch": "Who asks about whole files",
    "destroy": "Who destroys",
}
_HEAD = """# What the caller needs of IAM

The smallest policies with which the commands work, for the environment `dev` with the pipeline `penguins`; written by
`python -m modelwright.client.caller_policy`. `modelwright doctor --policy WHAT` prints them for your own
environment and pipelines; here the account is 123456789012. All but the second were tried: the commands run on the
local cloud as a role that has the policy and nothing else, and no action of it stays unused. That who deploys may look
at exactly what `doctor` looks at is a test, too; CDK's own part was never tried (see [local.md](local.md)).

The roles that jobs, functions and the state machine have are the template's: nobody who calls needs to pass one, but
that of batch transform.
"""


def page(place: Place) -> str:
    """Return docs/caller-policy.md."""
    return "\n".join([_HEAD, *(_section(which, title, place) for which, title in _TITLES.items())])


def _section(which: str, title: str, place: Place) -> str:
    policy = POLICIES[which]
    about = " ".join((policy.__doc__ or "").split())
    return f"## {title}\n\n{about}\n\n```json\n{json.dumps(document(policy(place)), indent=2)}\n```\n"
