"""A pipeline comes and goes: what a run without `up` leaves running (nothing), and what `destroy` removes and keeps."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

from modelwright.local.daemon.attach import status

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., subprocess.CompletedProcess[str]]
VERIFIED = "verified: no endpoint, endpoint config, model, job, alarm or stack of penguins is left in dev"


def test_destroy_says_what_goes_and_what_is_left_also_the_second_time(modelwright: Command, project: Path) -> None:
    never = modelwright("destroy", "penguins")
    assert (never.returncode, never.stdout) == (0, f"stack mw-dev-penguins: not there\n{VERIFIED}\n")
    ran = modelwright("run", "penguins")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert status(project) is None, "the last one out stops it"
    assert modelwright("up").returncode == 0  # from here on it stays: less to wait for

    first = modelwright("destroy", "penguins").stdout.splitlines()
    assert first[:5] == [
        "endpoint mw-dev-penguins: removed",
        "endpoint configs: 1 removed",
        "models: 1 removed",
        "stack mw-dev-penguins: removed",
        VERIFIED,
    ]
    second = modelwright("destroy", "penguins").stdout.splitlines()
    assert second == ["stack mw-dev-penguins: not there", *first[4:]]
    assert "left: the model packages of mw-dev-penguins: what was trained, and with which metrics" in first
    assert modelwright("runs").stdout == "Nothing has run yet.\n"
    gone = modelwright("predict", "penguins", "--row", "{}")
    assert (gone.returncode, gone.stderr) == (
        1,
        "error: penguins is not deployed: there is no stack mw-dev-penguins.\n`modelwright run penguins` makes it.\n",
    )

    again = modelwright("run", "penguins")
    assert again.returncode == 0, again.stdout + again.stderr
    data = modelwright("destroy", "penguins", "--data", "--yes").stdout
    assert "model packages of mw-dev-penguins: 2 removed" in data
    assert re.search(r"^s3://\S+/releases/penguins/: 1 objects removed$", data, re.MULTILINE)
    assert re.search(r"^table mw-dev: \d+ items of PIPELINE#penguins removed$", data, re.MULTILINE)
    assert "protected from deletion\n" in data
    empty = modelwright("destroy", "penguins", "--data", "--yes").stdout
    assert "model packages of mw-dev-penguins: 0 removed" in empty
    assert all(" 0 " in line for line in empty.splitlines() if line.endswith(" removed"))
    unknown = modelwright("destroy", "pengins")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "error: There is no pipeline 'pengins' in training_code/.\nDid you mean penguins?\n",
    )
