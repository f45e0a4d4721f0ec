"""What every task has: an end in time, bounded retries, a way to the failure path.

https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#sfn-stuck-execution (timeouts)
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html (Retry, Catch)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_ATTEMPTS: Final = 10
WILDCARDS: Final = frozenset({"States.ALL", "States.TaskFailed"})
"""Errors that a job's own failure is, too: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
Problem = tuple[str, str]


def task_problems(state: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield rule and sentence for what a task lacks."""
    if "TimeoutSeconds" not in state and "TimeoutSecondsPath" not in state:
        yield "timeout", "has no TimeoutSeconds: it may wait for a year."
    if not any("States.ALL" in catcher["ErrorEquals"] for catcher in state.get("Catch", [])):
        yield "catch", "has no Catch of States.ALL: its failure ends the run unrecorded and untold."
    yield from _retries(state)
    yield from _longer_than_its_job(state)


def _retries(state: Mapping[str, Any]) -> Iterator[Problem]:
    if not state.get("Retry"):
        yield "retry", "has no Retry: one throttled call fails the run."
    for retrier in state.get("Retry", []):
        names = ", ".join(retrier["ErrorEquals"])
        if retrier.get("MaxAttempts") is None or retrier["MaxAttempts"] > MAX_ATTEMPTS:
            yield "retry-limit", f"its Retry of {names} has no MaxAttempts of at most {MAX_ATTEMPTS}."
        if state["Resource"].endswith(".sync") and WILDCARDS & set(retrier["ErrorEquals"]):
            yield "retry-job", f"its Retry of {names} runs a failed job again, and again is paid for it."


def _longer_than_its_job(state: Mapping[str, Any]) -> Iterator[Problem]:
    """A job that takes as long as it may is to end by its own limit, whose outputs are kept, not by the task's."""
    if not state["Resource"].endswith(".sync") or not isinstance(state.get("Arguments"), dict):
        return
    task = state.get("TimeoutSeconds")
    job = state["Arguments"].get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    if task is None or job is None:
        return  # which is a finding of its own
    if isinstance(task, int) and isinstance(job, int):
        if task <= job:
            yield "timeout-order", f"ends after {task} s, its job only after {job} s."
    elif _step(task, "timeout") != _step(job, "max_runtime"):
        yield "timeout-order", "its timeout and its job's longest time are not of one step of the plan."


def _step(value: Any, what: str) -> str | None:
    """The step whose `<what>_seconds` an expression is; PrepareRun plans the one greater than the other."""
    found = re.fullmatch(rf"\{{%\s*\$plan\.(\w+)\.{what}_seconds\s*%\}}", str(value))
    return found[1] if found else f"no step: {value}"
