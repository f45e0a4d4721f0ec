"""The measurement: every server up, and asked in turn, case by case and round by round."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import wrk
from .model import expected, take_rows
from .processes import environment, free_port
from .running import Running, check, start
from .server import Place, Server
from .venvs import PeerUnavailable, python_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, order=True)
class Case:
    """One kind of load."""

    rows: int
    form: str
    clients: int


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    servers: dict[str, Server]
    cases: list[Case]
    rounds: int
    starts: int
    workers: int


@dataclass
class Results:
    """All figures; a list has one entry a round."""

    runs: dict[Case, dict[str, list[wrk.Figures]]] = field(default_factory=dict)
    start_seconds: dict[str, list[float]] = field(default_factory=dict)
    memory_mib: dict[str, dict[str, float]] = field(default_factory=dict)
    """by server: `started`, `small` after all bodies of at most 100 rows, `all` at the end"""
    missing: dict[str, str] = field(default_factory=dict)
    """servers that could not be measured, and why"""


def measure(plan: Plan, model: Path, folder: Path, load: Callable[[Running, Case, Path], wrk.Figures]) -> Results:
    """Start, check, then measure all; what was started is stopped, whatever happens."""
    results = Results()
    places = {key: place for key in plan.servers if (place := _place(plan, key, model, folder, results))}
    for _ in range(plan.starts - 1):  # the last start is the one that stays
        for key in list(places):
            _start(plan, key, places, results, lambda running: running.processes.stop())
    with ExitStack() as stack:
        running: dict[str, Running] = {}
        for key in list(places):

            def keep(one: Running, key: str = key) -> None:
                stack.callback(one.processes.stop)
                running[key] = one

            _start(plan, key, places, results, keep)
        _check_all(plan, running, model)
        for key, one in running.items():
            results.memory_mib[key] = {"started": one.processes.memory_mib()}
        _measure_all(plan, running, folder, results, load)
    return results


def _place(plan: Plan, key: str, model: Path, folder: Path, results: Results) -> Place | None:
    server, scratch = plan.servers[key], folder / key
    scratch.mkdir()
    try:
        place = Place(
            python=python_of(server.requirements),
            model=shutil.copytree(model, scratch / "model"),
            trained=model.parent,
            scratch=scratch,
            port=free_port(),
            workers=plan.workers,
        )
        _prepare(server, place)
    except PeerUnavailable as error:
        results.missing[key] = str(error)
        return None
    return place


def _prepare(server: Server, place: Place) -> None:
    first = server.prepare(place)
    for command in first.commands if first else ():
        text = [str(part) for part in command]
        done = subprocess.run(
            text,
            env=environment(first or server.launch(place)),
            cwd=place.scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PeerUnavailable(f"cannot be prepared: {' '.join((done.stderr + done.stdout).split())[-300:]}")


def _start(plan: Plan, key: str, places: dict[str, Place], results: Results, then: Callable[[Running], None]) -> None:
    try:
        running = start(plan.servers[key], places[key], take_rows(1))
    except PeerUnavailable as error:
        results.missing[key] = str(error)
        del places[key]
        return
    results.start_seconds.setdefault(key, []).append(running.start_seconds)
    then(running)


def _check_all(plan: Plan, running: dict[str, Running], model: Path) -> None:
    for count, form in sorted({(case.rows, case.form) for case in plan.cases}):
        rows = take_rows(count)
        wanted = expected(model, rows)
        for one in running.values():
            if form in one.server.formats:
                for _ in range(2 * plan.workers):  # so that each worker has loaded what it loads at its first request
                    check(one, rows, form, wanted)


def _measure_all(
    plan: Plan,
    running: dict[str, Running],
    folder: Path,
    results: Results,
    load: Callable[[Running, Case, Path], wrk.Figures],
) -> None:
    """Small bodies first, so that their memory is known before large ones come."""
    cases = sorted(plan.cases)
    for index, case in enumerate(cases):
        taking = {key: one for key, one in running.items() if case.form in one.server.formats}
        scripts = {key: _script(one, case, folder) for key, one in taking.items()}
        for _ in range(plan.rounds):
            for key, one in taking.items():
                figures = load(one, case, scripts[key])
                one.processes.settle()
                results.runs.setdefault(case, {}).setdefault(key, []).append(figures)
        if case.rows <= 100 and (index + 1 == len(cases) or cases[index + 1].rows > 100):
            _weigh(running, results, "small")
    _weigh(running, results, "all")


def _script(one: Running, case: Case, folder: Path) -> Path:
    scripts = folder / f"{one.place.port}-{case.rows}-{case.form}"
    scripts.mkdir(exist_ok=True)
    return wrk.write_script(scripts, one.server.body(take_rows(case.rows), case.form))


def _weigh(running: dict[str, Running], results: Results, when: str) -> None:
    for key, one in running.items():
        results.memory_mib[key][when] = one.processes.memory_mib()
