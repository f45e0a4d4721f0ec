"""Whole containers against AWS's own toolkit: the script's view, how it ends, what is left behind."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO

import pytest

REPORT = """
import json, os, sys
found = {"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "first": sys.path[0], "name": __name__}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "found.json"), "w") as file:
    json.dump(found, file)
"""
OWN_OF_THE_TOOLKITS_RUN = {
    "PATH",
    "SAGEMAKER_BASE_DIR",
    "SM_STUDIO_LOCAL_MODE",
    "LANG",
    "LC_CTYPE",
    "AWS_DEFAULT_REGION",
}
OURS_BESIDE_THEM = {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                    "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "PYTHONUNBUFFERED"}  # fmt: skip


def test_the_script_sees_what_it_sees_under_the_toolkit(run_toolkit, run_job, cloud) -> None:
    hyperparameters = {"sagemaker_program": "train.py", "C": "1.0", "k": "null", "note": 'a;b $HOME "q" ü',
                       "deep": '{"b": [1, "x"], "a": true}', "sagemaker_container_log_level": "10"}  # fmt: skip
    status, base = run_toolkit({"train.py": REPORT}, hyperparameters)
    assert status == 0
    theirs = json.loads((base / "model/found.json").read_text().replace(str(base), "/opt/ml"))
    described = run_job({"train.py": REPORT}, hyperparameters)
    assert described["TrainingJobStatus"] == "Completed"
    body = cloud.client("s3").get_object(Bucket="toolkit-bucket", Key="out/job/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=BytesIO(body)) as tar:
        ours = json.loads(tar.extractfile("found.json").read())
    assert ours["argv"] == theirs["argv"]
    assert (ours["cwd"], ours["first"], ours["name"]) == (theirs["cwd"], theirs["first"], theirs["name"])
    ours["env"].pop("PYTHONPATH")
    assert theirs["env"].pop("PYTHONPATH").startswith("/opt/ml/code:")
    source = ours["env"]["SM_MODULE_DIR"]
    assert source == "s3://toolkit-bucket/job.tar.gz"
    assert _without_source(ours["env"], OURS_BESIDE_THEM) == _without_source(theirs["env"], OWN_OF_THE_TOOLKITS_RUN)


def _without_source(env: dict[str, str], left_out: set[str]) -> dict[str, object]:
    """Where the code came from differs by nature; everything else does not."""
    kept: dict[str, object] = {name: value for name, value in env.items() if name not in left_out | {"SM_MODULE_DIR"}}
    described = json.loads(env["SM_TRAINING_ENV"])
    described.pop("module_dir")
    return {**kept, "SM_TRAINING_ENV": described}


FAILS = {
    "raises": ({"train.py": "raise ValueError('boom')\n"}, "train.py"),
    "exits-42": ({"train.py": "import sys\nsys.exit(42)\n"}, "train.py"),
    "syntax": ({"train.py": "def (:\n"}, "train.py"),
    "missing": ({"other.py": ""}, "train.py"),
    "killed": ({"train.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"}, "train.py"),
    "shell-exits-3": ({"train.sh": "#!/bin/sh\nexit 3\n"}, "train.sh"),
    "shell-out-of-memory": ({"train.sh": "#!/bin/sh\nexit 137\n"}, "train.sh"),
    "requirement": ({"train.py": "", "requirements.txt": "./no-such-folder\n"}, "train.py"),
    "absolute-name": ({"train.py": ""}, "/bin/true"),
    "leaving-name": ({"train.py": ""}, "../train.py"),
    "own-words": ({"train.py": "import os\nopen(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('my own words')\n"
                               "raise SystemExit(3)\n"}, "train.py"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILS)
def test_a_failure_is_told_as_the_toolkit_tells_it(run_toolkit, run_job, case: str) -> None:
    files, program = FAILS[case]
    status, base = run_toolkit(files, {"sagemaker_program": program})
    assert status == 1
    theirs = (base / "output/failure").read_text()
    described = run_job(files, {"sagemaker_program": program})
    assert described["TrainingJobStatus"] == "Failed"
    reason = described["FailureReason"]
    assert reason.startswith("AlgorithmError: ")
    assert _told(reason.removeprefix("AlgorithmError: ")) == _told(theirs)


def _told(failure: str) -> list[str]:
    """The error's name, the exit code and what is added; not the words, which are often empty in AWS's."""
    lines = failure.splitlines()
    kept = [line for line in lines if line.endswith("Error:") or line.startswith(("ExitCode", "ExtraInfo"))]
    return kept or [
        lines[0].partition(" resolves")[0].partition(" cannot")[0].partition(" is not")[0].lower().replace("the ", "")
    ]


OPENED = "open(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('hm')"
IN_SRC = "import os, sys\nassert sys.path[0].endswith('/src')\nassert os.getcwd().endswith('/code')\n"
JOINED = "threading.Thread(target=lambda: open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('x')).start()"
SHELL = '#!/bin/sh\ntest "$1" = -C && test "$2" = \'a b;c\' && echo ok > $SM_MODEL_DIR/m\n'
SUCCEEDS = {
    "plain": ({"train.py": "print('done')\n"}, "train.py"),
    "shell": ({"train.sh": SHELL}, "train.sh"),
    "failure-file-but-0": ({"train.py": f"import os\n{OPENED}\n"}, "train.py"),
    "in-a-folder": ({"src/train.py": IN_SRC}, "src/train.py"),
    "threads-are-joined": ({"train.py": f"import threading, os\n{JOINED}\n"}, "train.py"),
    "exit-none": ({"train.py": "raise SystemExit\n"}, "train.py"),
}


@pytest.mark.parametrize("case", SUCCEEDS)
def test_what_succeeds_under_the_toolkit_succeeds_here(run_toolkit, run_job, case: str) -> None:
    files, program = SUCCEEDS[case]
    hyperparameters = {"sagemaker_program": program, "C": "a b;c"}
    status, base = run_toolkit(files, hyperparameters)
    assert status == 0
    assert (base / "output/success").read_bytes() == b""
    described = run_job(files, hyperparameters)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
