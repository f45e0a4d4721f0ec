"""`python -m benchmarks`: ratios of modelwright to the bare work, from one run, side by side.

`python -m benchmarks serving` and `python -m benchmarks batch` are measurements of their own.

Every pair is taken several times in turn (bare, ours, bare, ours …) and the median of the ratios is what counts:
machines are shared and their speed drifts. Outputs are compared before a figure is believed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import bare, fan_out, memory
from .project import copy_project, modelwright, run_penguins
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

_JOBS = 200


def main() -> None:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Ratios of modelwright to the bare work. `python -m benchmarks serving` measures model servers.",
    )
    parser.add_argument("-n", "--pairs", type=int, default=5, help="how many pairs of each (default: 5)")
    pairs = parser.parse_args().pairs
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        run_penguins(project)  # writes cdk.out and bytecode: a user's first run is not what is compared
        _check(bare.run_scripts(Path(folder) / "bare"), run_penguins(project)["metrics"])
        _pipeline(table, project, Path(folder) / "bare", pairs)
        _start(table, project, pairs)
        _changed_structure(table, project, pairs)
        _jobs(table, project, pairs)
        table.peak("peak memory of a run, all processes", memory.peak_of_run(project), 700)


def _check(expected: dict[str, Any], found: dict[str, Any]) -> None:
    wrong = {
        name: (value, found.get(name))
        for name, value in expected.items()
        if isinstance(value, float) and abs(value - found.get(name, 0.0)) > 1e-9
    }
    if wrong or not any(isinstance(value, float) for value in expected.values()):
        raise RuntimeError(f"the pipeline's metrics are not those of its scripts: {wrong or expected}")


def _pipeline(table: Table, project: Path, folder: Path, pairs: int) -> None:
    def scripts() -> float:
        return _seconds(lambda: bare.run_scripts(folder))

    def run() -> float:
        return _seconds(lambda: run_penguins(project))

    table.ratio("the penguins pipeline, no local cloud up", _paired(scripts, run, pairs), 1.0)
    modelwright(project, "up")
    try:
        run_penguins(project)
        table.ratio("the penguins pipeline, local cloud up", _paired(scripts, run, pairs), 0.4)
    finally:
        modelwright(project, "down")


def _start(table: Table, project: Path, pairs: int) -> None:
    """How long it takes until the local cloud answers with everything deployed, and until it has stopped."""
    starts, stops = [], []
    for _ in range(pairs):
        starts.append(_seconds(lambda: modelwright(project, "up")))
        stops.append(_seconds(lambda: modelwright(project, "down")))
    table.seconds("`up`: the whole template deployed again", starts, None)
    table.seconds("`down`", stops, None)


def _changed_structure(table: Table, project: Path, pairs: int) -> None:
    """How much longer a run takes whose pipeline.yaml has another structure than the last one's."""
    settings = project / "training_code" / "penguins" / "pipeline.yaml"
    text, extra = settings.read_text(), []
    for index in range(pairs):
        changed = text.replace("rate(7 days)", f"rate({index + 8} days)")
        if changed == text:
            raise RuntimeError(f"{settings} has no `rate(7 days)` to change")
        settings.write_text(changed)
        with_change = _seconds(lambda: run_penguins(project))
        extra.append(with_change - _seconds(lambda: run_penguins(project)))
    settings.write_text(text)
    table.seconds("a changed structure, more than without", extra, 2.5)


def _jobs(table: Table, project: Path, pairs: int) -> None:
    """Jobs that do nothing: many at once, and one alone, from its request to the end of its execution."""
    with fan_out.machine(project, jobs=_JOBS) as execute:
        execute()
        for at_once, said in ((1, "one by one"), (2, "two at once")):
            base = partial(_seconds, partial(bare.run_nothing, _JOBS, at_once))
            table.ratio(f"a Map of {_JOBS} no-op jobs, bare {said}", _paired(base, execute, pairs), 2.0)
    with fan_out.machine(project, jobs=1) as execute:
        execute()
        one = _paired(lambda: _seconds(lambda: bare.run_nothing(1)), execute, 4 * pairs)
    table.seconds("a job more than its bare script, warm", [ours - base for base, ours in one], 0.05)


def _paired(base: Callable[[], float], ours: Callable[[], float], pairs: int) -> list[tuple[float, float]]:
    return [(base(), ours()) for _ in range(pairs)]


def _seconds(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["batch"]:
        from benchmarks.batch import main as batch

        sys.exit(batch(sys.argv[2:]))
    if sys.argv[1:2] == ["serving"]:
        from benchmarks.serving.command import main as serving

        sys.exit(serving(sys.argv[2:]))
    main()
