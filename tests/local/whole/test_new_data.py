"""New data start runs, a merge of nothing starts none, a day has as many as it may: the whole way, with real jobs."""

import json
import uuid

import pytest

from modelwright.client.runs import executions


@pytest.fixture
def penguins(up, tmp_path):
    """Makes a folder of penguins, each in a file of its own."""
    header, *rows = (up.folder / "data" / "penguins.csv").read_text().splitlines()

    def make(count):
        folder = tmp_path / "penguins"
        folder.mkdir()
        for number in range(count):
            (folder / f"part-{number:04}.csv").write_text(f"{header}\n{rows[number % len(rows)]}\n")
        return str(folder)

    return make


def started_since(place, before):
    session, deployment = place
    found = [entry["executionArn"] for entry in executions.executions(session, deployment)]
    return [arn for arn in found if arn not in before]


def test_a_thousand_files_and_one_marker_are_one_run(up, place, penguins):
    session, deployment = place
    before = {entry["executionArn"] for entry in executions.executions(session, deployment)}
    result = json.loads(up.cli("emit", "data", "penguins", penguins(1000), "--json"))
    assert result["status"] in {"Deployed", "Rejected"}
    (arn,) = started_since(place, before)
    run = executions.describe(session, "penguins", arn)
    assert (run.run_id, run.request["release"], run.request["trigger"]["kind"]) == (result["run"], "default", "data")
    key = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": f"RUN#{run.run_id}"}}
    item = session.client("dynamodb").get_item(TableName=deployment.table, Key=key)["Item"]
    folder = run.request["trigger"]["object"]["key"].removesuffix("_SUCCESS")
    assert item["data"]["S"] == f"s3://{deployment.data_bucket}/{folder}"


def test_the_same_object_told_twice_is_a_duplicate(up, place):
    """EventBridge delivers at least once, S3 tells at least once: the second execution does nothing."""
    session, deployment = place
    result = json.loads(up.cli("emit", "data", "penguins", "--json"))
    first = executions.find(session, [deployment], result["run"])
    answer = session.client("stepfunctions").start_execution(
        stateMachineArn=deployment.state_machine_arn,
        name=str(uuid.uuid4()),
        input=json.dumps({**first.request, "trigger": {**first.request["trigger"], "id": str(uuid.uuid4())}}),
    )
    again, _ = executions.watch(session, "penguins", answer["executionArn"], lambda *_: None)
    assert (again.outcome, again.result["of"]) == ("Duplicate", first.arn)


def test_a_merge_of_nothing_is_unchanged_and_the_first_of_something_is_not(up):
    up.cli("emit", "merge", "penguins", "--json")
    up.git("commit", "--allow-empty", "-qm", "words only")
    assert json.loads(up.cli("emit", "merge", "penguins", "--json"))["status"] == "Unchanged"
    up.edit("pipeline.yaml", "description: ", "description: New. ")
    up.git("commit", "-qam", "what is no part of a run")
    assert json.loads(up.cli("emit", "merge", "penguins", "--json"))["status"] == "Unchanged"
    up.edit("pipeline.yaml", "C: 1.0", "C: 0.9")
    up.git("commit", "-qam", "another model")
    assert json.loads(up.cli("emit", "merge", "penguins", "--json"))["status"] in {"Deployed", "Rejected"}


def test_enough_records_are_one_run_on_all_of_them(up, place, penguins):
    up.edit("pipeline.yaml", "{marker: _SUCCESS}", "{every_records: 400}")
    before = {entry["executionArn"] for entry in executions.executions(*place)}
    first = json.loads(up.cli("emit", "data", "penguins", penguins(100), "--json"))
    assert first == {"records": 100, "waiting": 100, "every_records": 400}
    assert started_since(place, before) == []
    result = json.loads(up.cli("emit", "data", "penguins", "--json"))  # 344 more
    assert result["status"] in {"Deployed", "Rejected"}
    (arn,) = started_since(place, before)
    run = executions.describe(place[0], "penguins", arn)
    assert run.request["data"] == f"s3://{place[1].data_bucket}/incoming/penguins/"
    again = json.loads(up.cli("emit", "data", "penguins", "--json"))
    assert again["waiting"] == again["records"] == 344
    assert started_since(place, before) == [arn]


def test_the_run_over_the_days_limit_says_so(up, place):
    settings = up.root / "environments" / "dev.yaml"
    assert "max_runs_per_day: 1000" in settings.read_text()
    settings.write_text(settings.read_text().replace("max_runs_per_day: 1000", "max_runs_per_day: 1"))
    found = up.run(code=1)  # others have run today
    assert found["error"] == "RunLimitReached"
    assert "limits.max_runs_per_day in environments/dev.yaml" in found["cause"]
