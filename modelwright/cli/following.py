"""Watch an execution to its end; Ctrl-C stops it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelwright.cli.live import Live
from modelwright.cli.render import print_json, print_outcome, run_as_json
from modelwright.cli.terminal import Terminal
from modelwright.client.runs import executions
from modelwright.clock import SystemClock

if TYPE_CHECKING:
    from modelwright.cli.traffic_show import TrafficShow
    from modelwright.client.runs.executions import Run
    from modelwright.client.runs.history import History
    from modelwright.client.session import Session


def follow(session: Session, pipeline: str, arn: str, *, as_json: bool, traffic: TrafficShow | None = None) -> int:
    """Show an execution until it ends, print its result; 0 when it succeeded.

    `traffic` is what is sent meanwhile: it is shown beside, ends with the execution, and is part of the result.
    """
    live = Live(
        Terminal(sys.stderr if as_json else sys.stdout),
        SystemClock().now,
        beside=traffic.line if traffic is not None else None,
    )
    try:
        run, history = executions.watch(session, pipeline, arn, live, live.pause)
    except KeyboardInterrupt:
        live.clear()
        print(f"stopping {pipeline} run {executions.run_id(arn)}; Ctrl-C again to leave at once", file=sys.stderr)
        if traffic is not None:
            traffic.stop()
        executions.stop(session, arn, "Ctrl-C")
        run, history = executions.watch(session, pipeline, arn, lambda *_: None)
        live(history, [state for state in history.states if state.status == "stopped"])
        _print(run, history, session.options, as_json=as_json, traffic=traffic)
        raise
    except BaseException:
        live.clear()
        raise
    if traffic is not None:
        traffic.finish()
    _print(run, history, session.options, as_json=as_json, traffic=traffic)
    return 0 if run.status == "SUCCEEDED" else 1


def _print(run: Run, history: History, options: str, *, as_json: bool, traffic: TrafficShow | None) -> None:
    if as_json:
        print_json({**run_as_json(run), **({"traffic": traffic.as_json()} if traffic is not None else {})})
    else:
        print_outcome(run, history, options)
        if traffic is not None:
            traffic.print()
    sys.stdout.flush()
