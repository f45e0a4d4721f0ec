"""`python -m benchmarks`: ratios of modelwright to the bare work, from one run, side by side.

Every pair is taken several times in turn (bare, ours, bare, ours …) and the median of the ratios is what counts:
machines are shared and their speed drifts. Outputs are compared before a figure is believed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import bare, fan_out, memory
from .project import copy_project, modelwright, run_penguins


def main() -> None:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios of modelwright to the bare work.")
    parser.add_argument("-n", "--pairs", type=int, default=5, help="how many pairs of each (default: 5)")
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        print(f"{'what':<52} {'bare':>9} {'ours':>9} {'ratio':>14} {'limit':>7}")
        _pipeline(project, Path(folder), pairs)
        _changed_structure(project, pairs)
        _fan_out(project, pairs)
        print(
            f"{'peak memory of a run, all processes':<52} {'':>9} {memory.peak_of_run(project):>6.0f} MiB {'':>14} {'700':>7}"
        )


def _pipeline(project: Path, folder: Path, pairs: int) -> None:
    run_penguins(project)  # writes cdk.out and bytecode: a user's first run is not what is compared
    expected = bare.run_scripts(folder / "bare-0")
    _check(expected, run_penguins(project)["metrics"])
    _compare(
        "the penguins pipeline, no local cloud up",
        lambda: bare.run_scripts(folder / "bare"),
        lambda: run_penguins(project),
        pairs,
        1.0,
    )
    modelwright(project, "up")
    try:
        run_penguins(project)
        _compare(
            "the penguins pipeline, local cloud up",
            lambda: bare.run_scripts(folder / "bare"),
            lambda: run_penguins(project),
            pairs,
            0.4,
        )
    finally:
        modelwright(project, "down")


def _check(expected: dict[str, Any], found: dict[str, Any]) -> None:
    wrong = {
        name: (value, found.get(name))
        for name, value in expected.items()
        if isinstance(value, float) and abs(value - found.get(name, 0.0)) > 1e-9
    }
    if wrong:
        raise RuntimeError(f"the pipeline's metrics are not those of its scripts: {wrong}")


def _compare(what: str, ours_bare: Callable[[], Any], ours: Callable[[], Any], pairs: int, limit: float) -> None:
    measured = [(_seconds(ours_bare), _seconds(ours)) for _ in range(pairs)]
    ratios = sorted(other / base for base, other in measured)
    base, other = (statistics.median(column) for column in zip(*measured, strict=True))
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    print(f"{what:<52} {base:>7.2f} s {other:>7.2f} s {spread:>14} {limit:>7}", flush=True)


def _seconds(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _changed_structure(project: Path, pairs: int) -> None:
    """How much longer a run takes whose pipeline.yaml has another structure than the last one's."""
    settings = project / "training_code" / "penguins" / "pipeline.yaml"
    text, extra = settings.read_text(), []
    for index in range(pairs):
        settings.write_text(text.replace("rate(7 days)", f"rate({index + 8} days)"))
        changed = _seconds(lambda: run_penguins(project))
        extra.append(changed - _seconds(lambda: run_penguins(project)))
    settings.write_text(text)
    print(
        f"{'a changed structure, seconds more':<52} {'':>9} {statistics.median(extra):>7.2f} s {'':>14} {'2.5':>7}",
        flush=True,
    )


def _fan_out(project: Path, pairs: int) -> None:
    with fan_out.machine(project, jobs=200) as execute:
        execute()
        _compare("a Map of 200 no-op jobs", lambda: bare.run_nothing(200), execute, pairs, 2.0)


if __name__ == "__main__":
    main()
