"""Watch an execution to its end; Ctrl-C stops it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelwright.client import executions

from .render import Live, print_json, print_outcome, run_as_json

if TYPE_CHECKING:
    from .platform import Platform


def follow(platform: Platform, pipeline: str, arn: str, *, as_json: bool) -> int:
    """Show an execution until it ends, print its result; 0 when it succeeded."""
    live = Live(sys.stderr if as_json else sys.stdout)
    try:
        run, history = executions.watch(platform.session, pipeline, arn, live)
    except KeyboardInterrupt:
        live.clear()
        print(f"stopping {pipeline} run {executions.run_id(arn)}", file=sys.stderr)
        executions.stop(platform.session, arn, "Ctrl-C")
        executions.watch(platform.session, pipeline, arn, live)
        raise
    if as_json:
        print_json(run_as_json(run))
    else:
        print_outcome(run, history)
    return 0 if run.status == "SUCCEEDED" else 1
