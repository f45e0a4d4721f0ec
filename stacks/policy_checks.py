"""cdk-nag's AwsSolutions pack, and each accepted finding with its reason.

An acceptance names the finding's exact id and one resource; a finding that nobody accepted makes the synth fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import App

SWITCH = "modelwright:policy-checks"
"""The context value that switches the checks on: they take longer than all of the rest of the synth."""


def check_policies(app: App) -> None:
    """Add the pack to `app` when the context asks for it."""
    if not app.node.try_get_context(SWITCH):
        return
    from aws_cdk import Validations  # noqa: PLC0415 # only when switched on
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415 # loading it takes a second

    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
