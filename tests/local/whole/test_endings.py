"""How commands and the local cloud end: orderly, interrupted, killed."""

import json
import os
import signal
import time
from pathlib import Path

from modelwright.client.deployment import find_deployment
from modelwright.local.daemon.attach import attach, status


def wait_until(condition, seconds=60.0):
    """Look until it is so: what is waited for is another process's doing, which tells nobody."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


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


RELUCTANT = """
import os, pathlib, time
if "MODELWRIGHT_WORKERS" not in os.environ:
    raise RuntimeError("cannot be compiled, so that this script serves")
while not pathlib.Path({path!r}).exists():
    time.sleep(0.01)
"""


def test_kill_9_in_the_middle_of_a_deployment_is_closed_by_the_next_start(whole, tmp_path):
    """The run is Failed, its lease free, and the inbox says that nobody tested what was being deployed."""
    path, gate = whole.folder / "inference.py", tmp_path / "gate"
    path.write_text(
        RELUCTANT.format(path=str(gate)) + path.read_text().replace("from __future__ import annotations", "")
    )
    with whole.start("run", "penguins") as process:
        wait_until(lambda: status(whole.root) is not None and endpoint_status(whole) in {"Creating", "Updating"})
        os.kill(status(whole.root).pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode != 0
    wait_until(lambda: whole.processes() == [])
    gate.touch()
    whole.cli("up")
    run = json.loads(whole.cli("runs", "-n", "1", "--json"))[0]["run"]
    wait_until(lambda: f"The run {run} of penguins failed past all its states" in whole.cli("inbox"))
    assert f"has the model of run {run}, which failed: it was not promoted." in whole.cli("status")
    with attach(whole.root) as local:
        session = whole.session(local)
        found = items(session, find_deployment(session, "dev", "penguins"))
    assert found[f"RUN#{run}"]["status"] == {"S": "Failed"}
    assert found[f"RUN#{run}"]["closed_by"] == {"S": "close_run"}
    assert "execution" not in found["LEASE"]
    whole.restore()
    assert whole.run()["status"] == "Deployed"
    assert "was not promoted" not in whole.cli("status")
    whole.cli("down")


def endpoint_status(whole):
    """As `status` shows it."""
    return whole.cli("status").split("mw-dev-penguins")[-1].split()[0]


def items(session, deployment):
    """What the table holds, by sort key."""
    found = session.client("dynamodb").scan(TableName=deployment.table)["Items"]
    return {item["sk"]["S"]: item for item in found}


def test_a_wrong_setting_starts_nothing_and_tells_everything_at_once(whole):
    whole.edit("pipeline.yaml", "  script: process.py\n", "  script: process.py\n  no_such_key: 1\n  volume_gib: 0\n")
    out = whole.cli("run", "penguins", code=2)
    assert "no_such_key" in out
    assert "volume_gib" in out
    assert status(whole.root) is None
