"""Watch an execution to its end; Ctrl-C stops it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelwright.cli.live import Live
from modelwright.cli.render import print_json, print_outcome, run_as_json
from modelwright.cli.terminal import Terminal
from modelwright.client import executions
from modelwright.clock import SystemClock

if TYPE_CHECKING:
    from modelwright.client.executions import Run
    from modelwright.client.history import History
    from modelwright.client.session import Session


def follow(session: Session, pipeline: str, arn: str, *, as_json: bool) -> int:
    """Show an execution until it ends, print its result; 0 when it succeeded."""
    live = Live(Terminal(sys.stderr if as_json else sys.stdout), SystemClock().now)
    try:
        run, history = executions.watch(session, pipeline, arn, live, live.pause)
    except KeyboardInterrupt:
        live.clear()
        print(f"stopping {pipeline} run {executions.run_id(arn)}; Ctrl-C again to leave at once", file=sys.stderr)
        executions.stop(session, arn, "Ctrl-C")
        run, history = executions.watch(session, pipeline, arn, lambda *_: None)
        live(history, [state for state in history.states if state.status == "stopped"])
        _print(run, history, session.options, as_json=as_json)
        raise
    except BaseException:
        live.clear()
        raise
    _print(run, history, session.options, as_json=as_json)
    return 0 if run.status == "SUCCEEDED" else 1


def _print(run: Run, history: History, options: str, *, as_json: bool) -> None:
    if as_json:
        print_json(run_as_json(run))
    else:
        print_outcome(run, history, options)
    sys.stdout.flush()
