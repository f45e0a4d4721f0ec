"""Which function observes which resource type at which level, and what the observing functions share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from level_template import LET_IN
from tiny_assembly import allow, trusts

from modelwright.local.template.registry import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    Observer = Callable[[Any], None]

RUNS, ENFORCED, RECORDED = Level.RUNS, Level.ENFORCED, Level.RECORDED


class Observed(dict[str, tuple[Level, "Observer"]]):
    """Resource types, each with its level and the function that observes it."""

    def level(self, kind: str, declared: Level) -> Callable[[Observer], Observer]:
        """The function below observes a type at a level."""

        def register(observe: Observer) -> Observer:
            self[kind] = (declared, observe)
            return observe

        return register


def refused(action: str) -> Any:
    """The context in which a call is refused for lack of this permission."""
    return pytest.raises(ClientError, match=f"not authorized to perform: {action}")


def let_in(levels: Any) -> str:
    """The ARN of the role that has no grants of its own and that the resources' policies name."""
    arn = f"arn:aws:iam::{levels.cloud.account}:role/{LET_IN}"
    levels.cloud.iam.put_role(arn, trusts("lambda"), {})
    return arn


def writes(levels: Any, *kms: str) -> str:
    """A role that may put objects and use the key for that."""
    grants = [allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{levels.id('Bucket')}/*")]
    return str(levels.role(*grants, *([allow(list(kms), levels.arn("Key"))] if kms else [])))
