"""What is run for a program's name, and what a container's outcome says about the job."""

from __future__ import annotations

import re
import shlex
from enum import Enum
from typing import TYPE_CHECKING

from modelwright.contract.problems import ContractError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SAFE_NAME = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")


class EntryPoint(Enum):
    """What kind of program a training job runs."""

    SCRIPT = "script"
    """`x.py`, run by Python after `pip install -r requirements.txt` where the folder has one"""
    COMMAND = "command"
    """`x.sh` or any other name, run by `/bin/sh -c ./x`"""
    PACKAGE = "package"
    """a folder with setup.py: installed with pip, run as a module"""


def kind_of(program: str, files: Collection[str]) -> EntryPoint:
    """Return how `program` is run, given the names at the root of the code folder.

    As in AWS's toolkit 5.1.4, `setup.py` alone makes a folder a package: a `pyproject.toml` does not.
    """
    check_name(program)
    if program.endswith(".sh"):
        return EntryPoint.COMMAND
    if "setup.py" in files:
        return EntryPoint.PACKAGE
    return EntryPoint.SCRIPT if program.endswith(".py") else EntryPoint.COMMAND


def command(kind: EntryPoint, program: str, arguments: Sequence[str], python: str) -> list[str]:
    """Return the argv of the program. Arguments are never parsed by a shell."""
    if kind is EntryPoint.SCRIPT:
        return [python, program, *arguments]
    if kind is EntryPoint.PACKAGE:
        return [python, "-m", program.removesuffix(".py"), *arguments]
    return ["/bin/sh", "-c", shlex.join([f"./{program}", *arguments])]


def check_name(program: str) -> None:
    """Raise ContractError unless the name is a plain relative path inside the code folder."""
    inside = all(segment not in {".", ".."} for segment in program.split("/"))
    if not program or not _SAFE_NAME.fullmatch(program) or not inside:
        raise ContractError(
            f"the training entry point {program!r} is not a plain relative path inside the code folder: "
            "letters, digits and . _ + - / only, no leading - or /, no . or .. segment (for example 'train.py')"
        )
