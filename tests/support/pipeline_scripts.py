"""Scripts of a pipeline that take no time, and how those of each release differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROCESS = """
from pathlib import Path
for part in ("train", "test"):
    folder = Path("/opt/ml/processing", part)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text("1\\n")
print("processed")
"""
_TRAIN = """
import os, pathlib
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("1")
print("trained")
"""
_EVALUATE = """
import json, pathlib
folder = pathlib.Path("/opt/ml/processing/evaluation")
folder.mkdir(parents=True, exist_ok=True)
(folder / "evaluation.json").write_text(json.dumps({"metrics": {"accuracy": 0.9}}))
print("evaluated")
"""
_INFERENCE = """
import json
def model_fn(folder): return 1
def input_fn(body, content_type): return (body.decode() if isinstance(body, bytes) else body).splitlines()[1:]
def predict_fn(rows, model): return [model for _ in rows]
def output_fn(found, accept): return json.dumps({"predictions": found}), "application/json"
"""
_NO_REPORT = "import pathlib\npathlib.Path('/opt/ml/processing/evaluation').mkdir(parents=True, exist_ok=True)\n"
_SLEEP = "import time\ntime.sleep(600)\n"
_ROWS = """
from pathlib import Path
rows = "".join(f"{number},{'high' if number > 5 else 'low'}\\n" for number in range(11))
for part in ("train", "test"):
    folder = Path("/opt/ml/processing", part)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text("number,label\\n" + rows)
print("processed")
"""
_FIT = """
import os, joblib, pandas
from sklearn.linear_model import LogisticRegression
rows = pandas.read_csv(os.environ["SM_CHANNEL_TRAIN"] + "/rows.csv")
joblib.dump(LogisticRegression().fit(rows[["number"]], rows["label"]), os.environ["SM_MODEL_DIR"] + "/model.joblib")
print("trained")
"""
_LOAD = "import joblib\ndef model_fn(folder): return joblib.load(folder + '/model.joblib')\n"
_COMPILABLE = {"process.py": _ROWS, "train.py": _FIT, "inference.py": _LOAD, "data/smoke.csv": "number\n1\n9\n"}
SCRIPTS = {"process.py": _PROCESS, "train.py": _TRAIN, "evaluate.py": _EVALUATE, "inference.py": _INFERENCE}
RELEASES: Mapping[str, Mapping[str, str]] = {
    "good": {},
    "mute": {"inference.py": _INFERENCE.replace("return [model for _ in rows]", "raise ValueError('mute')")},
    "broken": {"inference.py": "import no_such_module\n"},
    "silent": {"evaluate.py": _NO_REPORT},
    "compilable": _COMPILABLE,
    "slow_process": {"process.py": _SLEEP},
    "slow_train": {"train.py": _SLEEP},
}
"""What differs from SCRIPTS."""
