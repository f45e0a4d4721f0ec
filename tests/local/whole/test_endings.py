"""How commands and the local cloud end: orderly, interrupted, killed."""

import json
import os
import signal
from pathlib import Path

from until import wait_until

from modelwright.local.daemon.attach import status


def job_process(whole):
    """The process of a running training script, once there is one."""
    return [pid for pid in whole.processes() if b"SM_MODEL_DIR" in _environment(pid)]


def _environment(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def slow(whole):
    whole.edit(
        "train.py",
        "def main(",
        "def main(*_):\n    import time; print('sleeping', flush=True); time.sleep(600)\n\n\ndef unused(",
    )


def running(whole):
    """True while a run waits for its training script."""
    if status(whole.root) is None:
        return False
    with whole.start("logs", "last", "TrainModel") as process:  # an error as long as the run has not come that far
        return "sleeping" in process.communicate(timeout=60)[0]


def test_the_last_command_out_ends_the_local_cloud_and_what_it_made_is_there_again(whole):
    assert whole.run()["status"] == "Deployed"
    answers = whole.predictions()
    assert status(whole.root) is None
    assert whole.processes() == []
    assert whole.predictions() == answers


def test_ctrl_c_stops_the_jobs_and_leaves_no_process(whole):
    slow(whole)
    with whole.start("run", "penguins") as process:
        wait_until(lambda: running(whole))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    wait_until(lambda: whole.processes() == [])
    last = json.loads(whole.cli("runs", "-n", "1", "--json"))[0]
    assert last["execution"]["status"] == "ABORTED"


def test_kill_9_loses_nothing_that_was_answered(whole):
    assert whole.run()["status"] == "Deployed"
    before = json.loads(whole.cli("runs", "-n", "100", "--json"))
    answers = whole.predictions()
    slow(whole)
    with whole.start("run", "penguins") as process:
        wait_until(lambda: running(whole))
        os.kill(status(whole.root).pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode != 0
    wait_until(lambda: whole.processes() == [])
    after = json.loads(whole.cli("runs", "-n", "100", "--json"))
    assert [run["run"] for run in after[1:]] == [run["run"] for run in before]
    assert after[0]["execution"]["status"] == "FAILED"
    assert "killed" in after[0]["cause"]
    assert whole.predictions() == answers


def test_a_wrong_setting_starts_nothing_and_tells_everything_at_once(whole):
    whole.edit("pipeline.yaml", "  script: process.py\n", "  script: process.py\n  no_such_key: 1\n  volume_gib: 0\n")
    out = whole.cli("run", "penguins", code=2)
    assert "no_such_key" in out
    assert "volume_gib" in out
    assert status(whole.root) is None
