"""What `modelwright open` does with a pipeline's API or endpoint, as somebody who has its policy and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from api_ground import GOOD, ApiGround, make_project
from pipeline_ground import REGION
from policy_surgery import Decisions
from tiny_assembly import trusts
from trial_pages import SCHEMA

from modelwright.cli.page.about import Trial
from modelwright.client.caller_policy import Place, document, open_policy
from modelwright.client.session import Endpoint, Session
from modelwright.errors import NotDeployed
from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = "requests_per_second: 1000, burst: 1000"
SETTINGS = {"iam": f"{{authorization: iam, {LIMITS}}}", "keys": f"{{authorization: api-key, {LIMITS}}}"}
NEVER = {"iam": {"ReadItsKey", "AskTheEndpoint"}, "keys": {"AskTheApi", "AskTheEndpoint"}}
"""What is for the other ways of asking."""


@pytest.fixture(scope="module", params=SETTINGS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ground(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiGround]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), REGION)
    cloud.start()
    try:
        made = ApiGround(cloud, make_project(tmp_path_factory.mktemp("project"), SETTINGS[kind]))
        made.learn()
        yield made
    finally:
        cloud.stop()


def opener(ground: ApiGround, *, without: str = "") -> Session:
    """A session of a role that has the policy of who opens, without one statement."""
    statements = open_policy(Place("dev", REGION, ground.cloud.account, ("penguins",)))
    kept = [item for item in statements if item["Sid"] != without]
    arn = f"arn:aws:iam::{ground.cloud.account}:role/opener"
    ground.cloud.iam.put_role(arn, trusts("lambda"), {"policy": document(kept)})
    keys = ground.cloud.callers.session(arn)
    return Session(
        REGION, lambda: Endpoint(ground.cloud.endpoint_url, keys.access_key, keys.secret_key, keys.session_token)
    )


def test_the_policy_is_enough_and_all_of_it_is_needed(ground: ApiGround, kind: str) -> None:
    decisions = Decisions(ground.cloud)
    trial = Trial(opener(ground), ground.deployment, "dev")
    about = trial.describe()
    assert [field["name"] for field in about["fields"]] == [column["name"] for column in SCHEMA["columns"]]
    answer = trial.ask([GOOD])
    assert (answer["status"], answer["document"]["predictions"][0]["sex"]) == (200, "male")
    used = {ref.statement for ref, _, _ in decisions.used if ref.owner.endswith("role/opener")}
    statements = open_policy(Place("dev", REGION, ground.cloud.account, ("penguins",)))
    # who finds stacks is asked for before a trial is made
    assert {item["Sid"] for item in statements} - used == NEVER[kind] | {"FindWhatIsDeployed"}


def test_without_the_grant_the_page_says_what_is_lacking(ground: ApiGround, kind: str) -> None:
    trial = Trial(opener(ground), ground.deployment, "dev")
    lacking = {"iam": "AskTheApi", "keys": "ReadItsKey"}[kind]
    opener(ground, without=lacking)
    answer = trial.ask([GOOD])
    wanted = {"iam": "execute-api:Invoke", "keys": "apigateway:GET"}[kind]
    assert f"is not authorized to perform: {wanted}" in answer["document"]["message"]


def test_what_is_wrong_names_its_fields(ground: ApiGround) -> None:
    answer = Trial(ground.session, ground.deployment, "dev").ask([{**GOOD, "year": "x"}])
    assert answer["status"] == 400
    assert [item["column"] for item in answer["document"]["problems"]] == ["year"]


def test_without_an_api_the_endpoint_itself_is_asked(ground: ApiGround) -> None:
    decisions = Decisions(ground.cloud)
    trial = Trial(opener(ground), replace(ground.deployment, api_url=None, api_key_id=None), "dev")
    assert "has no REST API (deploy.api)" in trial.describe()["note"]
    assert trial.ask([GOOD])["document"]["predictions"][0]["sex"] == "male"
    assert "AskTheEndpoint" in {ref.statement for ref, _, _ in decisions.used if ref.owner.endswith("role/opener")}
    refused = trial.ask([{**GOOD, "year": "x"}])
    assert [item["column"] for item in refused["document"]["problems"]] == ["year"]
    broken = trial.ask([{**GOOD, "species": "break"}])
    assert broken["status"] == 424
    assert "RuntimeError" in broken["document"]["message"] or "broken" in broken["document"]["message"]


@pytest.mark.parametrize("api", [True, False])
def test_the_curl_line_works_as_it_stands(ground: ApiGround, *, api: bool) -> None:
    assert shutil.which("curl"), "curl 7.75 or newer: apt-get install curl"
    deployment = ground.deployment if api else replace(ground.deployment, api_url=None, api_key_id=None)
    line = Trial(ground.session, deployment, "dev").describe()["curl"]
    body = json.dumps({"instances": [GOOD]})
    shell = f"{line['setup']}\n{line['command']} -sS -d '{body}' '{line['url']}'"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["predictions"][0]["sex"] == "male"


def test_the_page_is_about_what_serves_now(ground: ApiGround) -> None:
    trial = Trial(ground.session, ground.deployment, "dev")
    before = trial.describe()["run"]
    ground.learn(None)
    try:
        about = trial.describe()
        assert (about["run"], about["fields"], about["outputs"]) == (before, [], None)
    finally:
        ground.learn()


def test_what_cannot_be_reached_is_an_answer(ground: ApiGround) -> None:
    trial = Trial(ground.session, ground.deployment, "dev")
    trial.way = replace(trial.way, url="http://127.0.0.1:9/nothing")
    answer: Any = trial.ask([GOOD])
    assert answer["status"] == 0
    assert "127.0.0.1:9" in answer["document"]["message"]


def test_a_pipeline_that_never_ran_is_said_before_a_page_opens(ground: ApiGround) -> None:
    key = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": "CHAMPION"}}
    ground.client("dynamodb").delete_item(TableName=ground.deployment.table, Key=key)
    with pytest.raises(NotDeployed, match="No model of penguins serves yet"):
        Trial(ground.session, ground.deployment, "dev")
