"""`kill -9` of the local cloud in the middle of a deployment: the next start closes the run that nobody ended."""

import json
import os
import signal

from until import wait_until

from modelwright.client.deployment import find_deployment
from modelwright.local.daemon.attach import attach, status

RELUCTANT = """
import os, pathlib, time
if "MODELWRIGHT_WORKERS" not in os.environ:
    raise RuntimeError("cannot be compiled, so that this script serves")
while not pathlib.Path({path!r}).exists():
    time.sleep(0.01)
"""


def test_an_endpoint_that_was_being_created_has_a_model_that_nobody_tested(whole, tmp_path):
    run = killed(whole, tmp_path, "Creating")
    wait_until(lambda: f"The run {run} of penguins failed past all its states" in whole.cli("inbox"))
    assert f"has the model of run {run}, which failed: it was not promoted." in whole.cli("status")
    closed(whole, run)
    assert whole.run()["status"] == "Deployed"
    assert "was not promoted" not in whole.cli("status")


def test_one_that_was_being_updated_serves_what_it_served(whole, tmp_path):
    answers = whole.predictions()
    run = killed(whole, tmp_path, "Updating")
    closed(whole, run)
    assert whole.predictions() == answers
    assert run not in whole.cli("inbox") + whole.cli("status")
    assert whole.run()["status"] == "Deployed"


def killed(whole, tmp_path, while_it_is):
    """Kill the local cloud while a model is loaded that never is; start it again. The run's id."""
    whole.cli("up")
    path, gate = whole.folder / "inference.py", tmp_path / "gate"
    code = path.read_text().replace("from __future__ import annotations", "")
    path.write_text(RELUCTANT.format(path=str(gate)) + code)
    with whole.start("run", "penguins") as process:
        wait_until(lambda: endpoint_status(whole) == while_it_is)
        os.kill(status(whole.root).pid, signal.SIGKILL)
        process.communicate(timeout=120)
    assert process.returncode != 0
    wait_until(lambda: whole.processes() == [])
    gate.touch()
    whole.restore()
    whole.cli("up")
    return json.loads(whole.cli("runs", "-n", "1", "--json"))[0]["run"]


def endpoint_status(whole):
    with attach(whole.root) as local:
        found = whole.session(local).client("sagemaker").list_endpoints()["Endpoints"]
    return found[0]["EndpointStatus"] if found else None


def closed(whole, run):
    """The table has the run's end, and its lease is free, once the event was heard."""
    with attach(whole.root) as local:
        session = whole.session(local)
        table = find_deployment(session, "dev", "penguins").table
        wait_until(lambda: items(session, table)[f"RUN#{run}"].get("closed_by") == {"S": "close_run"})
        wait_until(lambda: "execution" not in items(session, table)["LEASE"])
        assert items(session, table)[f"RUN#{run}"]["status"] == {"S": "Failed"}


def items(session, table):
    """What the table holds, by sort key."""
    return {item["sk"]["S"]: item for item in session.client("dynamodb").scan(TableName=table)["Items"]}
