"""`python -m benchmarks serving`: the arguments."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from . import report, wrk
from .measure import Case, Plan, measure
from .model import train
from .peers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .running import Running


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when a run had errors."""
    options = _parser().parse_args(arguments)
    try:
        wrk.find()
    except wrk.WrkMissing as error:
        print(error, file=sys.stderr)
        return 2

    def load(running: Running, case: Case, script: Path) -> wrk.Figures:
        figures = wrk.run(script, running.url, case.clients, options.seconds)
        print(
            f"{case.rows} rows, {case.form}, {case.clients} clients, {running.server.name}: {figures}", file=sys.stderr
        )
        return figures

    plan = Plan(
        servers={key: SERVERS[key] for key in options.servers},
        cases=[Case(*case) for case in product(options.rows, options.forms, options.clients)],
        rounds=options.rounds,
        starts=options.starts,
        workers=options.workers,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = measure(plan, train(folder / "trained"), folder, load)
    if options.json:
        options.json.write_text(report.as_json(plan, results))
    print(report.as_markdown(plan, results))
    return int(report.has_errors(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks serving", description="The penguins model behind several servers, asked with wrk."
    )
    parser.add_argument("--seconds", type=int, default=3, help="of each run of wrk (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is asked in turn (default: 3)")
    parser.add_argument("--starts", type=int, default=3, help="how often each server is started (default: 3)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes of each (default: the cores)"
    )
    parser.add_argument("--rows", type=_numbers, default=[1, 100, 10_000], help="default: 1,100,10000")
    parser.add_argument("--clients", type=_numbers, default=[1, 16, 64], help="default: 1,16,64")
    parser.add_argument("--forms", type=_one_of("csv", "json"), default=["csv", "json"], help="default: csv,json")
    names = ",".join(SERVERS)
    parser.add_argument("--servers", type=_one_of(*SERVERS), default=list(SERVERS), help=f"default: {names}")
    parser.add_argument("--json", type=Path, help="a file for every figure of every run")
    return parser


def _numbers(text: str) -> list[int]:
    found = [int(part) for part in text.split(",")]
    if min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text} has a number below 1")
    return found


class _one_of:  # noqa: N801  # argparse shows the name of the type in its message
    """Names out of a list, with commas between."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = allowed

    def __call__(self, text: str) -> list[str]:
        found = text.split(",")
        wrong = [name for name in found if name not in self._allowed]
        if wrong:
            raise argparse.ArgumentTypeError(f"{', '.join(wrong)} is none of {', '.join(self._allowed)}")
        return found
