"""Training jobs that are told to stop, or run for too long."""

from __future__ import annotations

import threading
from pathlib import Path

from botocore.exceptions import ClientError

from modelwright.local.sagemaker.jobs import process as job_process

FOREVER = """
import os, signal, sys, time
def end(*_):
    open("/opt/ml/model/saved", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("running", flush=True)
while True:
    time.sleep(0.01)
"""


def until_it_runs(work, name: str) -> None:
    pause = threading.Event()
    for _ in range(12_000):
        try:
            if "running" in work.lines("TrainingJob", name):
                return
        except (ClientError, IndexError):
            pass
        pause.wait(0.02)
    raise AssertionError(f"{name} does not run: {work.ended('TrainingJob', name)}")


def test_stopping_asks_the_script_and_still_takes_its_model(work, get, members) -> None:
    work.training("stopped", FOREVER)
    until_it_runs(work, "stopped")
    work.client.stop_training_job(TrainingJobName="stopped")
    found = work.ended("TrainingJob", "stopped")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert list(members(get("out/stopped/output/model.tar.gz"))) == ["saved"]
    assert "Stopping" in [each["Status"] for each in found["SecondaryStatusTransitions"]]


def test_the_maximum_run_time_stops_a_job_and_its_children(work, get, members) -> None:
    script = FOREVER.replace('print("running"', "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\n"
                             "open('/opt/ml/model/child', 'w').write(str(child.pid))\nprint(\"running\"")  # fmt: skip
    found = work.trained("too-long", script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    left = members(get("out/too-long/output/model.tar.gz"))
    assert "saved" in left
    assert not Path(f"/proc/{int(left['child'])}").exists()


def test_a_script_that_does_not_listen_is_killed_after_the_grace(work, monkeypatch) -> None:
    monkeypatch.setattr(job_process, "GRACE_SECONDS", 0.2)
    script = FOREVER.replace("signal.signal(signal.SIGTERM, end)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    found = work.trained("deaf", script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert found["SecondaryStatus"] == "MaxRuntimeExceeded"
