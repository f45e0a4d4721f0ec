"""What moto's interpreter is kept from importing."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final

BATCH: Final = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_batch"


def keep_batch_out() -> None:
    """Stand in for the task of AWS Batch, which imports moto's EC2 with every instance type: 1.1 s of a start.

    The local cloud does not run Batch: such a task is refused when the state machine is created (`resources.py`).
    """
    if BATCH in sys.modules:
        return
    module = ModuleType(BATCH, "A stand-in of modelwright: no Batch in the local cloud.")
    module.StateTaskServiceBatch = _NoBatch  # type: ignore[attr-defined]  # the one name that moto imports from it
    sys.modules[BATCH] = module


class _NoBatch:
    """What moto's factory would make for `arn:aws:states:::batch:…`."""

    def __init__(self) -> None:
        raise NotImplementedError("The integration 'batch' does not run in the local cloud.")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        raise TypeError("The stand-in for moto's Batch task is no base class.")
