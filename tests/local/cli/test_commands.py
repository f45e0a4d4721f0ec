"""The commands on a real local cloud, as a user types them: what is printed, the exit code, what is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., subprocess.CompletedProcess[str]]
SMOKE = "training_code/penguins/data/smoke.csv"


@pytest.fixture(scope="module", autouse=True)
def kept_up(modelwright: Command) -> Iterator[None]:
    up = modelwright("up")
    assert re.fullmatch(r"The local cloud is up at http://127\.0\.0\.1:\d+; `modelwright down` stops it\.\n", up.stdout)
    yield
    assert modelwright("down").stdout == "The local cloud is down.\n"
    assert modelwright("down").stdout == "The local cloud was not up.\n"


@pytest.fixture(scope="module")
def deployed(modelwright: Command, kept_up: None) -> subprocess.CompletedProcess[str]:
    found = modelwright("run", "penguins", "-p", "C=0.5")
    assert found.returncode == 0, found.stdout + found.stderr
    return found


def document(found: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(found.stdout)


def run_of(found: subprocess.CompletedProcess[str]) -> str:
    match = re.search(r"penguins run ([0-9a-f]{12}) in ", found.stdout)
    assert match
    return match[1]


def test_a_run_prints_its_states_and_its_result_in_plain_lines(deployed: subprocess.CompletedProcess[str]) -> None:
    lines = deployed.stdout.splitlines()
    states = [match[1] for line in lines if (match := re.fullmatch(r"  ✓ (\w+) +\d+\.\d\d s", line))]
    expected = ["PrepareRun", "ProcessData", "TrainModel", "EvaluateModel", "RecordMetrics", "CheckQualityGate"]
    assert states[:6] == expected
    assert re.fullmatch(r"Deployed  penguins run [0-9a-f]{12} in \d+\.\d\d s", lines[-5])
    assert re.match(r"  accuracy 0\.9\d*  f1 0\.9\d*  roc_auc 0\.9\d*  log_loss 0\.2\d*", lines[-4])
    assert re.fullmatch(r"  ✓ accuracy >= 0\.80: found 0\.9\d*", lines[-3])
    assert lines[-1].startswith("  compiled: ")
    assert "\033" not in deployed.stdout
    assert deployed.stderr == ""


def test_runs_show_and_status_tell_of_it(modelwright: Command, deployed: subprocess.CompletedProcess[str]) -> None:
    name = run_of(deployed)
    (run,) = [run for run in document(modelwright("runs", "--json")) if run["run"] == name]
    assert (run["status"], run["trigger"]["kind"], run["endpoint"]) == ("Deployed", "manual", "mw-dev-penguins")
    heads, *rows = modelwright("runs", "penguins").stdout.splitlines()
    assert heads.split() == ["RUN", "PIPELINE", "OUTCOME", "TRIGGER", "STARTED", "TOOK", "REASON"]
    assert any(row.split()[:4] == [name, "penguins", "Deployed", "manual"] for row in rows)
    shown = document(modelwright("show", name[:6], "--json"))
    train = next(state for state in shown["states"] if state["name"] == "TrainModel")
    assert train["parameters"]["HyperParameters"]["C"] == "0.5"
    assert train["parameters"]["TrainingJobName"] == f"dev-penguins-train-{name}-00"
    text = modelwright("show", name).stdout
    assert '"overrides": {"C": "0.5"}' in text
    assert "✓ TrainModel" in text
    status = modelwright("status").stdout.splitlines()
    assert re.fullmatch(
        r"The local cloud is up at http://127\.0\.0\.1:\d+ \(process \d+\) until `modelwright down`\.", status[0]
    )
    assert status[2].split() == ["penguins", "mw-dev-penguins", "realtime", "mw-dev-penguins", "InService"]


def test_one_state_whole_and_its_logs(modelwright: Command, deployed: subprocess.CompletedProcess[str]) -> None:
    name = run_of(deployed)
    whole = modelwright("show", name, "TrainModel").stdout
    assert '        "HyperParameters": {\n          "C": "0.5",' in whole
    logs = modelwright("logs", name, "TrainModel").stdout.splitlines()
    assert logs
    assert all(line.startswith("TrainModel | ") for line in logs)
    assert any("C=0.5" in line for line in logs)
    everything = modelwright("logs", name).stdout
    assert "ProcessData | " in everything
    assert "CheckQualityGate | " in everything
    assert "RequestId" not in everything
    assert modelwright("logs", name, "TrainModle").stderr == (
        "error: The run went through no state 'TrainModle'.\nDid you mean TrainModel?\n"
    )


@pytest.mark.usefixtures("deployed")
def test_predict_from_a_file_a_row_and_standard_input(modelwright: Command, project: Path) -> None:
    from_file = modelwright("predict", "penguins", "--file", SMOKE)
    assert from_file.returncode == 0
    predictions = document(from_file)["predictions"]
    assert len(predictions) == len((project / SMOKE).read_text().splitlines()) - 1
    from_stdin = modelwright("predict", "penguins", "--file", "-", stdin=(project / SMOKE).read_text())
    assert from_stdin.stdout == from_file.stdout
    row = {
        "species": "Adelie",
        "island": "Dream",
        "bill_length_mm": 39,
        "bill_depth_mm": 18,
        "flipper_length_mm": 190,
        "body_mass_g": 3700,
    }
    assert len(document(modelwright("predict", "penguins", "--row", json.dumps(row)))["predictions"]) == 1
    wrong = modelwright("predict", "penguins", "--row", '{"island": "Dream"}')
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("error: The model answered 400: ")
    assert "species" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.usefixtures("deployed")
def test_a_script_that_fails_is_1_with_its_last_lines_and_what_served_still_serves(
    modelwright: Command, train: Callable[[str], None]
) -> None:
    train("import sys\nprint('about to fail \"\\\\\"')\nsys.exit(42)\n")
    failed = modelwright("run", "penguins", "--json")
    assert failed.returncode == 1
    found = document(failed)
    assert found["status"] == "Failed"
    assert "42" in found["cause"]
    assert "TrainModel" in failed.stderr
    assert modelwright("logs", "last", "TrainModel").stdout.splitlines()[0] == 'TrainModel | about to fail "\\"'
    assert "! TrainModel" in modelwright("show", "last").stdout
    assert modelwright("predict", "penguins", "--file", SMOKE).returncode == 0
    assert modelwright("runs").stdout.splitlines()[1].split()[2] == "Failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_run_and_its_job(
    modelwright: Command,
    start: Callable[..., subprocess.Popen[str]],
    train: Callable[[str], None],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    train(f"import os, threading\nopen({str(fifo)!r}, 'w').write(str(os.getpid()))\nthreading.Event().wait()\n")
    process = start("run", "penguins")
    job = int(fifo.read_text())  # waits until the job runs
    os.kill(job, 0)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 130, out + err
    assert re.search(r"^stopping penguins run ([0-9a-f]{12}); Ctrl-C again to leave at once\ninterrupted\n$", err)
    assert "  ■ TrainModel" in out
    assert re.search(r"^Stopped  penguins run .*\n  Stopped: Ctrl-C\n", out, re.MULTILINE)
    with pytest.raises(ProcessLookupError):
        os.kill(job, 0)
    assert modelwright("runs", "--json", "-n", "1").stdout.count('"status": "Stopped"') == 1


def test_what_lies_in_s3_is_listed_printed_and_copied(
    modelwright: Command, deployed: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    listed = re.search(r"s3://mw-dev-data-artifactbucket-\S+/$", modelwright("s3", "ls").stdout, re.MULTILINE)
    assert listed
    bucket = listed[0]
    assert f"{bucket}releases/" in modelwright("s3", "ls", bucket).stdout.split()
    every = modelwright("s3", "ls", "-r", f"{bucket}releases/penguins/").stdout.splitlines()
    address = every[0].split()[-1]
    assert json.loads(modelwright("s3", "cat", address).stdout)["pipeline"] == "penguins"
    copied = modelwright("s3", "cp", f"{bucket}releases/", str(tmp_path / "got"))
    assert (tmp_path / "got/penguins" / address.rsplit("/", 1)[-1]).is_file()
    assert len(copied.stdout.splitlines()) == len(every)
    nothing = modelwright("s3", "cat", f"{bucket}nothing")
    assert nothing.returncode == 2
    assert nothing.stderr == (
        f"error: There is no object {bucket}nothing.\n`modelwright s3 ls {bucket}` lists what lies there.\n"
    )
    assert modelwright("s3", "ls", "s3://").stdout == modelwright("s3", "ls").stdout
    assert modelwright("s3", "ls", "s3://none").stderr.startswith("error: There is no bucket none.\n")


def test_boto3_finds_the_local_cloud_with_the_printed_variables(
    modelwright: Command, deployed: subprocess.CompletedProcess[str], project: Path, given: dict[str, str]
) -> None:
    script = (
        f'eval "$({sys.executable} -m modelwright env)"; '
        f'{sys.executable} -c \'import boto3; print(*boto3.client("sagemaker").list_endpoints()["Endpoints"])\''
    )
    environment = {**given, "AWS_PROFILE": "of-nobody"}
    root = json.loads(modelwright("env", "--json").stdout)
    found = subprocess.run(
        ["sh", "-c", script], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert "'EndpointName': 'mw-dev-penguins'" in found.stdout, found.stderr
    assert root["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    command = [sys.executable, "-m", "modelwright", "runs", "--aws"]
    on_aws = subprocess.run(command, cwd=project, env={**given, **root}, capture_output=True, text=True, check=False)
    assert on_aws.stderr == (
        f"AWS_ENDPOINT_URL is {root['AWS_ENDPOINT_URL']}: in this shell --aws is about the local cloud, too.\n"
    )


def test_the_endpoints_log_has_its_streams(modelwright: Command, deployed: subprocess.CompletedProcess[str]) -> None:
    assert modelwright("predict", "penguins", "--file", SMOKE).returncode == 0
    found = modelwright("logs", "penguins", "--endpoint")
    assert (found.returncode, found.stderr) == (0, "")
    assert all(re.match(r"AllTraffic/i-[0-9a-f]{17} \| ", line) for line in found.stdout.splitlines())
    assert '"event": "request"' in found.stdout
    assert modelwright("logs", "penguins", "AllTraffic", "--endpoint").stdout.startswith(found.stdout)
    nobody = modelwright("logs", "penguins", "nobody", "--endpoint", "--since", "10m")
    assert (nobody.returncode, nobody.stdout) == (0, "")
    assert nobody.stderr.startswith("No line of nobody in the log of mw-dev-penguins since ")
    assert modelwright("logs", "last", "--since", "10m").stderr == (
        "error: --since is for --endpoint.\nA run's log is printed whole; name a state to see less of it.\n"
    )


def test_following_the_endpoints_log_until_ctrl_c(
    modelwright: Command, start: Callable[..., subprocess.Popen[str]], deployed: subprocess.CompletedProcess[str]
) -> None:
    assert modelwright("predict", "penguins", "--file", SMOKE).returncode == 0
    logs = start("logs", "penguins", "--endpoint", "-f")
    assert logs.stdout is not None
    assert "AllTraffic/i-" in logs.stdout.readline()
    logs.send_signal(signal.SIGINT)
    assert logs.communicate()[1] == "interrupted\n"
    assert logs.returncode == 130


def test_following_the_logs_of_a_run_until_it_is_over(
    start: Callable[..., subprocess.Popen[str]], train: Callable[[str], None], tmp_path: Path
) -> None:
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    train(f"import sys\nprint('begun', flush=True)\nopen({str(fifo)!r}).read()\nprint('last words')\nsys.exit(1)\n")
    run = start("run", "penguins")
    with fifo.open("w"):  # waits until the job runs, and holds it until the block ends
        logs = start("logs", "last", "TrainModel", "--follow")
        assert logs.stdout is not None
        assert logs.stdout.readline() == "TrainModel | begun\n"
    rest, err = logs.communicate()
    assert rest.splitlines()[0] == "TrainModel | last words"
    assert (logs.returncode, err) == (0, "")
    assert run.wait() == 1


def test_a_merge_trains_the_commit_and_a_schedule_the_default(modelwright: Command, project: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    script = project / "training_code" / "penguins" / "train.py"
    before = script.read_text()
    for command in (["init", "-q"], ["add", "training_code"], ["commit", "-q", "-m", "as it was"]):
        subprocess.run([*git, *command], cwd=project, check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=project, check=True, capture_output=True, text=True)
    script.write_text("raise SystemExit('not committed')\n")
    try:
        found = modelwright("emit", "merge", "penguins", "--json")
    finally:
        script.write_text(before)
    assert found.returncode == 0, found.stderr
    assert f"has changes that are not committed; the merge is of {commit.stdout[:7]}, without them\n" in found.stderr
    trigger = document(found)["trigger"]
    assert (trigger["kind"], trigger["commit"]) == ("merge", commit.stdout.strip())
    release = modelwright("release", "penguins", "--default").stdout.strip()
    assert re.fullmatch(r"[0-9a-f]{64}", release)
    scheduled = document(modelwright("emit", "schedule", "penguins", "--json"))
    assert (scheduled["trigger"]["kind"], scheduled["status"]) == ("schedule", "Deployed")
    assert modelwright("show", "last", "PrepareRun").stdout.count(release) >= 1
    again = modelwright("emit", "merge", "penguins", "--json")
    assert (document(again)["status"], "not committed" in again.stderr) == ("Unchanged", False)
    assert modelwright("emit", "merge", "penguins", "--commit", "nosuch").stderr == (
        "error: There is no commit 'nosuch' in this repository.\n`git log` names those there are.\n"
    )


@pytest.mark.usefixtures("deployed")
def test_the_inbox_is_readable(modelwright: Command) -> None:
    text = modelwright("inbox", "-n", "50").stdout
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \S+  penguins: Deployed$", text, re.MULTILINE)
    assert "AlarmArn" not in text
    assert {"messages", "dead_letters"} == set(document(modelwright("inbox", "--json")))
