"""Runs inside the toolkit's own venv: answers, line by line, what the toolkit makes of hyperparameters.

In: {"hyperparameters": {...strings...}, "environ": {...}}; out: {"arguments", "variables"} or {"error"}.
"""

import json
import os
import sys
from pathlib import Path

base = Path(os.environ["SAGEMAKER_BASE_DIR"])


def answer(request):
    from sagemaker_training import environment  # noqa: PLC0415 - a failed import is an answer, too

    os.environ.update(request["environ"])
    (base / "input/config/hyperparameters.json").write_text(json.dumps(request["hyperparameters"]))
    found = environment.Environment()
    return {"arguments": found.to_cmd_args(), "variables": found.to_env_vars()}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as error:  # noqa: BLE001 - it is the answer
        said = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
