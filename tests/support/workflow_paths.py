"""Ways through the state machine: its definition walked with answers from a table."""

from __future__ import annotations

import json
from typing import Any

from workflow_answers import (
    EVENT,
    Answers,
    substituted,
)
from workflow_walk import Walk

from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure

OLD = "dev-penguins-000000000000-00"


def walk(endpoint: str = "realtime", **changes: Any) -> Walk:
    text = json.dumps(definition(WorkflowStructure("penguins", endpoint)))
    return Walk(json.loads(substituted(text)), Answers(**changes), EVENT).run()


def payload(**fields: Any) -> dict[str, Any]:
    return {"Payload": fields}


def arguments(done: Walk, state: str) -> Any:
    return next(given for name, given in done.asked if name == state)
