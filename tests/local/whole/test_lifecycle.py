"""What the pipeline does with models: each of these is a whole run of the synthesized template."""

import json
import uuid

import pytest

from modelwright.client.runs import executions
from modelwright.config.execution import ExecutionInput, Trigger


def serving(place):
    session, deployment = place
    return session.client("sagemaker").describe_endpoint(EndpointName=deployment.endpoint_name)["EndpointConfigName"]


def test_a_model_is_deployed_with_its_metrics_and_answers(up, place):
    session, _deployment = place
    result = up.run()
    assert result["status"] == "Deployed"
    assert 0.8 <= result["metrics"]["accuracy"] <= 1
    assert {prediction["sex"] for prediction in up.predictions()["predictions"]} <= {"male", "female"}
    package = session.client("sagemaker").describe_model_package(ModelPackageName=result["modelPackageArn"])
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["run"] == result["run"]
    assert serving(place).startswith(f"dev-penguins-{result['run']}-")


def test_another_hyperparameter_gives_another_model(up):
    before = up.predictions()
    result = up.run("-p", "C=0.01")
    assert result["status"] in {"Deployed", "Rejected"}
    if result["status"] == "Deployed":
        assert up.predictions() != before
    assert up.run()["status"] == "Deployed"
    assert up.predictions() == before


def test_an_unknown_hyperparameter_is_refused_by_name(up):
    assert "no_such" in up.cli("run", "penguins", "-p", "no_such=1", code=2)


def test_a_gate_out_of_reach_rejects_and_leaves_what_serves(up, place):
    before, answers = serving(place), up.predictions()
    up.edit("pipeline.yaml", "accuracy >= 0.80", "accuracy >= 0.9999")
    result = up.run()
    assert result["status"] == "Rejected"
    package = place[0].client("sagemaker").describe_model_package(ModelPackageName=result["modelPackageArn"])
    assert package["ModelApprovalStatus"] == "Rejected"
    assert serving(place) == before
    assert up.predictions() == answers


def test_a_model_that_fails_the_smoke_test_is_undone(up, place):
    before, answers = serving(place), up.predictions()
    up.edit(
        "inference.py",
        "def predict_fn(",
        "def predict_fn(*_):\n    raise ValueError('it \"breaks\" \\\\ here')\n\n\ndef unused(",
    )
    result = up.run(code=1)
    assert "SmokeTest" in result["cause"]
    assert serving(place) == before
    assert up.predictions() == answers


def test_a_model_that_cannot_be_loaded_is_undone(up, place):
    before, answers = serving(place), up.predictions()
    up.edit(
        "inference.py",
        "from __future__ import annotations",
        "from __future__ import annotations\nimport no_such_module",
    )
    result = up.run(code=1)
    assert result["status"] == "RolledBack"
    assert serving(place) == before
    assert up.predictions() == answers


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise ValueError('a \"quote\" and a back\\\\slash')", 'a "quote" and a back\\slash'),
        ("import sys; sys.exit(42)", "42"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "-9"),
    ],
)
def test_a_script_that_fails_tells_why_and_what_served_serves(up, code, told):
    answers = up.predictions()
    up.edit("train.py", "def main(", f"def main(*_):\n    {code}\n\n\ndef unused(")
    result = up.run(code=1)
    assert result["cause"].startswith("TrainModel") or "TrainModel" in result["cause"]
    shown = up.cli("show", result["run"], "TrainModel")
    assert told in shown
    assert up.predictions() == answers


def test_the_logs_are_the_scripts_own_lines(up):
    up.edit(
        "train.py",
        "def main(",
        "def main(*_):\n    print('about to break'); raise RuntimeError('broken')\n\n\ndef unused(",
    )
    result = up.run(code=1)
    lines = up.cli("logs", result["run"], "TrainModel")
    assert "about to break" in lines
    assert "RuntimeError: broken" in lines


def test_wrong_data_fails_in_the_state_that_met_it(up, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    result = up.run("--data", str(tmp_path / "rows.csv"), code=1)
    assert "ProcessData" in result["cause"]
    assert "species" in result["cause"]


def test_the_same_event_twice_is_one_run(up, place):
    session, deployment = place
    release = up.cli("release", "penguins").strip()
    request = {
        "schema": 1,
        "pipeline": "penguins",
        "release": release,
        "trigger": {"kind": "manual", "id": str(uuid.uuid4())},
    }
    client = session.client("stepfunctions")
    arns = [
        client.start_execution(
            stateMachineArn=deployment.state_machine_arn, name=f"{index}-{uuid.uuid4()}", input=json.dumps(request)
        )["executionArn"]
        for index in range(2)
    ]
    outcomes = sorted(executions.watch(session, "penguins", arn, lambda *_: None)[0].outcome for arn in arns)
    assert outcomes == ["Deployed", "Duplicate"]


def test_two_at_once_train_side_by_side_and_deploy_one_after_the_other(up, place):
    session, deployment = place
    release = up.cli("release", "penguins").strip()
    arns = []
    for _ in range(2):
        request = ExecutionInput("penguins", release, Trigger("manual", executions.new_trigger_id()))
        arns.append(executions.start(session, deployment, request))
    ends = [executions.watch(session, "penguins", arn, lambda *_: None)[0] for arn in arns]
    assert {end.outcome for end in ends} <= {"Deployed", "Superseded"}
    assert ends[1].outcome == "Deployed"
    assert serving(place).startswith(f"dev-penguins-{ends[1].run_id}-")


def test_a_run_that_is_overtaken_by_a_younger_one_is_superseded(up, place):
    session, deployment = place
    up.edit("train.py", "def main(", "import time\n\ntime.sleep(8)\n\n\ndef main(")
    slow = up.cli("release", "penguins").strip()
    up.restore()
    quick = up.cli("release", "penguins").strip()
    arns = []
    for release in (slow, quick):
        trigger = {"kind": "manual", "id": executions.new_trigger_id()}
        request = {"schema": 1, "pipeline": "penguins", "release": release, "trigger": trigger}
        client = session.client("stepfunctions")
        started = client.start_execution(
            stateMachineArn=deployment.state_machine_arn, name=trigger["id"], input=json.dumps(request)
        )
        arns.append(started["executionArn"])
    older, younger = [executions.watch(session, "penguins", arn, lambda *_: None)[0] for arn in arns]
    assert (older.outcome, younger.outcome) == ("Superseded", "Deployed")
    assert serving(place).startswith(f"dev-penguins-{younger.run_id}-")


def test_a_release_that_is_not_there_is_an_error_of_that_name(up, place):
    session, deployment = place
    request = ExecutionInput("penguins", "0" * 64, Trigger("manual", executions.new_trigger_id()))
    run, _ = executions.watch(session, "penguins", executions.start(session, deployment, request), lambda *_: None)
    assert (run.status, run.error) == ("FAILED", "ReleaseNotFound")


def test_a_merge_trains_the_code_of_its_commit(up):
    up.edit("train.py", "def main(", "MARK = print('code of the commit')\n\n\ndef main(")
    up.git("commit", "-qam", "another train.py")
    commit = up.git("rev-parse", "HEAD")
    up.edit("train.py", "code of the commit", "code of the working tree")
    result = json.loads(up.cli("emit", "merge", "penguins", "--commit", commit, "--json"))
    assert result["trigger"] == {"kind": "merge", "id": result["trigger"]["id"], "commit": commit}
    lines = up.cli("logs", result["run"], "TrainModel")
    assert "code of the commit" in lines
    assert "code of the working tree" not in lines
    up.restore()
    up.git("reset", "-q", "--hard", "HEAD~1")


def test_a_merge_whose_structure_is_not_deployed_needs_a_deploy(up):
    up.edit("pipeline.yaml", "rate(7 days)", "rate(9 days)")
    up.git("commit", "-qam", "another structure")
    commit = up.git("rev-parse", "HEAD")
    up.git("reset", "-q", "--hard", "HEAD~1")
    out = up.cli("emit", "merge", "penguins", "--commit", commit, code=1)
    assert "DeployNeeded" in out


def test_a_schedule_runs_the_default_release(up):
    result = json.loads(up.cli("emit", "schedule", "penguins", "--json"))
    assert result["trigger"]["kind"] == "schedule"
    assert result["status"] in {"Deployed", "Rejected"}


def test_people_are_told(up):
    messages = json.loads(up.cli("inbox", "-n", "100", "--json"))["messages"]
    text = "\n".join(f"{message['subject']} {message['message']}" for message in messages)
    for word in ("penguins", "Deployed", "Rejected"):
        assert word.lower() in text.lower()


def test_destroy_takes_all_but_the_data_and_run_brings_it_back(up, place):
    lines = up.cli("destroy", "penguins")
    assert "left:" in lines
    assert "not deployed" in up.cli("predict", "penguins", "--row", "{}", code=1)
    assert up.run()["status"] == "Deployed"
    assert len(json.loads(up.cli("runs", "-n", "100", "--json"))) > 3
