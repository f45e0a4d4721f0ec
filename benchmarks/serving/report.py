"""The figures as JSON and as Markdown tables that docs/benchmarks.md takes as they are."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .targets import TARGETS, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .measure import Case, Plan, Results
    from .targets import Target
    from .wrk import Figures


def as_json(plan: Plan, results: Results) -> str:
    """Return every run, as measured."""
    document: dict[str, Any] = {
        "workers": plan.workers,
        "rounds": plan.rounds,
        "start_seconds": results.start_seconds,
        "memory_mib": results.memory_mib,
        "missing": results.missing,
        "runs": [
            {"server": key, **asdict(case), "round": number, **asdict(run)}
            for case, servers in results.runs.items()
            for key, runs in servers.items()
            for number, run in enumerate(runs)
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def as_markdown(plan: Plan, results: Results) -> str:
    """Return the tables: loads, starts and memory, targets, what is to be known of each server."""
    parts = (_loads(plan, results), _starts(plan, results), _targets(plan, results), _notes(plan, results))
    return "\n\n".join("\n".join(part) for part in parts)


def has_errors(results: Results) -> bool:
    """Whether any run had errors: it is no result then."""
    return any(run.errors for servers in results.runs.values() for runs in servers.values() for run in runs)


def _loads(plan: Plan, results: Results) -> Iterator[str]:
    yield _line(
        "rows", "form", "clients", "server", "requests/s", "p50 ms", "p99 ms", "of AWS's stack", "of the empty app"
    )
    yield _line("--:", ":--", "--:", ":--", *["--:"] * 5)
    for case, servers in sorted(results.runs.items()):
        for key, runs in servers.items():
            where = (f"{case.rows:,}", case.form, str(case.clients), plan.servers[key].name)
            yield _line(*where, *_figures(runs), *(_ratio(results, case, key, base) for base in ("aws", "empty")))


def _figures(runs: list[Figures]) -> tuple[str, str, str]:
    errors = sum(run.errors for run in runs)
    if errors or not all(run.requests for run in runs):
        return f"no result: {errors} errors" if errors else "no result: no answer in time", "", ""
    middle = [
        statistics.median(column) for column in zip(*((r.per_second, r.p50_ms, r.p99_ms) for r in runs), strict=True)
    ]
    return f"{middle[0]:,.0f}" if middle[0] >= 100 else f"{middle[0]:.1f}", f"{middle[1]:.2f}", f"{middle[2]:.2f}"


def _ratio(results: Results, case: Case, key: str, base: str) -> str:
    found = ratio(results, case, key, base, lambda run: run.per_second)
    return "" if found is None else f"{found:.3g}"


def _starts(plan: Plan, results: Results) -> Iterator[str]:
    yield _line("server", "start to first 200", "memory when started", "after small bodies", "at the end")
    yield _line(":--", *["--:"] * 4)
    for key, taken in results.start_seconds.items():
        memory = results.memory_mib.get(key, {})
        sizes = [f"{memory[when]:.0f} MiB" if when in memory else "" for when in ("started", "small", "all")]
        yield _line(plan.servers[key].name, f"{statistics.median(taken):.2f} s", *sizes)


def _targets(plan: Plan, results: Results) -> Iterator[str]:
    yield _line("server", "target", "limit", "found", "")
    yield _line(":--", ":--", "--:", "--:", ":--")
    for target in TARGETS:
        keys = [key for key, server in plan.servers.items() if server.kind == target.kind]
        if not keys:
            yield _line(f"the {target.kind} path", target.what, target.said(), "", "no such server in this run")
        for key in keys:
            found = target.found(results, key)
            verdict = "not measured" if found is None else "met" if target.met(found) else "not met"
            shown = "" if found is None else f"{found:.3g} {target.unit}"
            yield _line(plan.servers[key].name, target.what, target.said(), shown, verdict + _but(plan, target, found))


def _but(plan: Plan, target: Target, found: float | None) -> str:
    """Return what a verdict beside AWS's stack lacks, when that is not whole."""
    lacks = plan.servers["aws"].lacks() if "aws" in plan.servers and "AWS" in target.what else ""
    return f" (AWS's without {lacks})" if lacks and found is not None else ""


def _notes(plan: Plan, results: Results) -> Iterator[str]:
    yield _line("server", "to know")
    yield _line(":--", ":--")
    for key, server in plan.servers.items():
        missing = results.missing.get(key)
        if missing or server.note():
            yield _line(server.name, f"not measured: {missing}".replace("|", "/") if missing else server.note())


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
