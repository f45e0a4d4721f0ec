"""Everything that a pipeline meets, by name: what is prepared, and what is then done and seen."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline_asked import abandoned, deployed, no_model, no_model_data, no_report, no_smoke_test, restored_anew
from pipeline_batch import transformed
from pipeline_before import absent, broken, nothing, serving, serving_and_old, without_images
from pipeline_events import (
    alarm,
    closed,
    merged,
    new_data,
    scheduled,
    stopped_process,
    stopped_train,
    subscribed,
    unchanged,
    unclosed,
    undelivered,
)
from pipeline_runs import (
    compiled,
    duplicate,
    first,
    made_anew,
    no_commit,
    no_release,
    rejected,
    silent,
    undone_first,
    undone_update,
    unloadable,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline_stage import Seen, Stage


@dataclass(frozen=True)
class Scenario:
    """What is prepared (by the owner, with everything allowed), and what is then done and seen."""

    act: Callable[[Stage], Seen]
    prepare: Callable[[Stage], None]


def renew_processes(stage: Stage) -> None:
    """Let every function begin with a new process, as a deploy that changes it does."""
    client = stage.client("lambda")
    for function in client.list_functions()["Functions"]:
        client.update_function_configuration(FunctionName=function["FunctionName"], Description=str(uuid.uuid4()))


SCENARIOS: Mapping[str, Scenario] = {
    act.__name__: Scenario(act, prepare)
    for prepare, acts in (
        (
            nothing,
            (
                deployed,
                alarm,
                undelivered,
                subscribed,
                no_model_data,
                no_smoke_test,
                no_model,
                no_report,
                no_release,
                no_commit,
            ),
        ),
        (nothing, (merged, scheduled, duplicate, silent, new_data, unclosed, transformed)),
        (absent, (rejected,)),
        (without_images, (compiled,)),
        (nothing, (stopped_process, stopped_train, unchanged)),
        (absent, (abandoned,)),
        (absent, (first, unloadable, undone_first)),
        (serving_and_old, (update,)),
        (serving, (undone_update,)),
        (broken, (made_anew,)),
        (serving, (closed, restored_anew)),
    )
    for act in acts
}
"""By name; the quick ones first."""


def prepared(stage: Stage, name: str) -> Callable[[], Seen]:
    """Prepare a scenario; what is given back acts."""
    scenario = SCENARIOS[name]
    scenario.prepare(stage)
    return lambda: scenario.act(stage)


def played(stage: Stage, name: str) -> Seen:
    """Prepare a scenario, act, and say what was seen."""
    return prepared(stage, name)()
