"""The handlers against a table, buckets and metrics of moto's, and a SageMaker of ours."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from workflow_answers import EVENT, SHA, manifest

import acquire_deployment.handler as acquire
import check_quality_gate.handler as gate
import package_model.handler as package
import prepare_run.handler as prepare
import promote_model.handler as promote
import record_metrics.handler as record
import remove_old_models.handler as remove
import restore_endpoint.handler as restore
import shared.clients
import smoke_test.handler as smoke
import watch_endpoint.handler as watch
from modelwright.workflow.functions_hosting import SMOKE_TEST
from shared.errors import DeployNeeded, ReleaseNotFound
from shared.run_id import run_id
from shared.table import champion_key, from_item, lease_key, run_key
from smoke_test.domain import SmokeTestFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = {
    "PIPELINE": "penguins",
    "ENVIRONMENT": "dev",
    "ARTIFACT_BUCKET": "artifacts",
    "TABLE_NAME": "mw-dev",
    "KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "STRUCTURE": "5" * 64,
    "ENDPOINT_NAME": "mw-dev-penguins",
    "LEASE_SECONDS": "600",
    "DATA_PREFIX": "s3://data/incoming/penguins/",
    "MAX_RUNS_PER_DAY": "3",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
ONE, OTHER = "arn:aws:states:eu-west-1:1:execution:p:one", "arn:aws:states:eu-west-1:1:execution:p:other"
EARLY, LATE = "2026-11-20T10:00:00.000Z", "2026-11-20T11:00:00.000Z"


class FakeExecutions:
    """How executions stand, as Step Functions says it."""

    def __init__(self, status: str) -> None:
        self.status = status

    def describe_execution(self, **_: str) -> dict[str, str]:
        if self.status.endswith(("Exist", "Exception")):
            raise ClientError({"Error": {"Code": self.status, "Message": "no"}}, "DescribeExecution")
        return {"status": self.status}


def stepfunctions(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Each execution stands like this."""
    real, executions = shared.clients.client, FakeExecutions(status)
    monkeypatch.setattr(acquire, "client", lambda name: executions if name == "stepfunctions" else real(name))


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shared.clients.client.cache_clear()
    stepfunctions(monkeypatch, "RUNNING")
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("dynamodb").create_table(
            TableName="mw-dev",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield
    shared.clients.client.cache_clear()


def put(key: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket="artifacts", Key=key, Body=content)


def item(key: dict[str, Any]) -> dict[str, Any]:
    return from_item(boto3.client("dynamodb").get_item(TableName="mw-dev", Key=key)["Item"])


def publish(**changes: Any) -> str:
    content = json.dumps(manifest(**changes), sort_keys=True, separators=(",", ":")).encode()
    name = hashlib.sha256(content).hexdigest()
    put(f"releases/penguins/{name}.json", content)
    return name


def start(release: str, execution: str = ONE, **changes: Any) -> dict[str, Any]:
    found = {**EVENT, "release": release, **changes}
    return prepare.handler({"input": found, "execution": {"arn": execution, "started_at": EARLY}}, None)


def test_a_run_is_prepared_and_written() -> None:
    release = publish()
    found = start(release, overrides={"C": "0.5"})

    assert found["status"] == "Ready"
    assert found["train"]["hyperparameters"]["C"] == "0.5"
    written = item(run_key("penguins", run_id(ONE)))
    assert (written["status"], written["release"], written["overrides"]) == ("Running", release, {"C": "0.5"})


def test_an_event_is_taken_once_and_its_own_execution_may_come_back() -> None:
    release = publish()

    assert start(release, ONE)["status"] == "Ready"
    assert start(release, ONE)["status"] == "Ready"
    again = start(release, OTHER)
    assert (again["status"], again["of"]) == ("Duplicate", ONE)
    assert again["run"]["release"] == release


def test_default_and_commit_are_resolved_by_their_pointers() -> None:
    release = publish()
    put("defaults/penguins.json", json.dumps({"release": release}).encode())
    put(f"commits/penguins/{'c' * 40}.json", json.dumps({"release": release}).encode())

    trigger = {"kind": "merge", "id": "e", "commit": "c" * 40}
    assert start("default")["run"]["release"] == release
    assert start("commit", OTHER, trigger=trigger)["run"]["release"] == release


def test_what_is_not_there_is_not_found_and_another_structure_needs_a_deploy() -> None:
    with pytest.raises(ReleaseNotFound):
        start("a" * 64)
    with pytest.raises(ReleaseNotFound):
        start("default")
    with pytest.raises(DeployNeeded):
        start(publish(structure="6" * 64), OTHER, trigger={"kind": "manual", "id": "2"})


def test_metrics_go_into_the_run_and_into_cloudwatch() -> None:
    put("runs/penguins/r/evaluation/evaluation.json", b'{"metrics": {"accuracy": 0.9, "tiny": 1e-300}}')
    uri = "s3://artifacts/runs/penguins/r/evaluation/evaluation.json"

    found = record.handler({"run": "r", "evaluation_uri": uri}, None)

    assert found == {"metrics": {"accuracy": 0.9, "tiny": 1e-300}}
    assert json.loads(item(run_key("penguins", "r"))["metrics"]) == found["metrics"]
    published = boto3.client("cloudwatch").list_metrics(Namespace="Modelwright")["Metrics"]
    assert [metric["MetricName"] for metric in published] == ["accuracy"]


def take(execution: str, run: str, started_at: str = EARLY) -> dict[str, Any]:
    return acquire.handler({"execution": execution, "run": run, "started_at": started_at}, None)


def test_a_lease_is_held_by_one_and_its_fence_only_grows() -> None:
    assert take(ONE, "a" * 12) == {"status": "Acquired", "fence": 1}
    assert take(OTHER, "b" * 12) == {"status": "Busy", "holder": ONE}
    assert take(ONE, "a" * 12) == {"status": "Acquired", "fence": 2}


def test_a_lease_that_is_over_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    take(ONE, "a" * 12)
    now = acquire.time.time()
    monkeypatch.setattr(acquire.time, "time", lambda: now + 601)

    assert take(OTHER, "b" * 12) == {"status": "Acquired", "fence": 2}


@pytest.mark.parametrize(
    ("status", "taken"),
    [("RUNNING", False), ("ABORTED", True), ("ExecutionDoesNotExist", True), ("AccessDeniedException", False)],
)
def test_a_lease_whose_holder_was_stopped_goes_to_the_next(
    monkeypatch: pytest.MonkeyPatch, status: str, *, taken: bool
) -> None:
    stepfunctions(monkeypatch, status)
    first = take(ONE, "a" * 12)["fence"]

    found = take(OTHER, "b" * 12)
    assert found == ({"status": "Acquired", "fence": first + 1} if taken else {"status": "Busy", "holder": ONE})


class FakeSageMaker:
    """What the handlers ask of SageMaker, with a memory."""

    def __init__(self) -> None:
        self.packages: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.endpoint: dict[str, str] | None = {"EndpointStatus": "InService", "EndpointConfigName": "new"}
        self.calls: list[str] = []
        self.models: list[dict[str, Any]] = []
        self.answer = (b'["male"]', "application/json")
        self.undeletable = ""
        self.loading = 0
        """how often a model is asked before it is loaded"""

    def update_model_package(self, **given: Any) -> None:
        self.packages[given["ModelPackageArn"]] = given["ModelApprovalStatus"]
        self.reasons[given["ModelPackageArn"]] = given["ApprovalDescription"]

    def describe_endpoint(self, EndpointName: str) -> dict[str, str]:  # noqa: N803 # the API's name
        if self.endpoint is None:
            message = f'Could not find endpoint "{EndpointName}".'
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "DescribeEndpoint")
        return self.endpoint

    def update_endpoint(self, **given: Any) -> None:
        self.calls.append(f"update {given['EndpointConfigName']}")

    def create_endpoint(self, **given: Any) -> None:
        self.calls.append(f"create {given['EndpointConfigName']} {given['Tags']}")

    def delete_endpoint(self, **_: Any) -> None:
        self.calls.append("delete")

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"ProductionVariants": [{"ModelName": "dev-penguins-000000000009-00"}]}

    def get_paginator(self, name: str) -> FakeSageMaker:
        self.listed = "Models" if name == "list_models" else "EndpointConfigs"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{self.listed: self.models[:5]}, {self.listed: self.models[5:]}]

    def delete_model(self, **given: Any) -> None:
        self._delete("model", given["ModelName"])

    def delete_endpoint_config(self, **given: Any) -> None:
        self._delete("config", given["EndpointConfigName"])

    def _delete(self, kind: str, name: str) -> None:
        if name == self.undeletable:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "in use"}}, "Delete")
        self.calls.append(f"{kind} {name}")

    def invoke_endpoint(self, **given: Any) -> dict[str, Any]:
        if self.loading:
            self.loading -= 1
            raise ClientError({"Error": {"Code": "ModelNotReadyException", "Message": "x"}}, "InvokeEndpoint")
        if given["Body"] == b"bad\n":
            error = {"Error": {"Code": "ModelError", "Message": "x"}, "OriginalStatusCode": 500}
            raise ClientError({**error, "OriginalMessage": "KeyError: 'mass'"}, "InvokeEndpoint")
        return {"Body": io.BytesIO(self.answer[0]), "ContentType": self.answer[1]}


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> FakeSageMaker:
    fake = FakeSageMaker()
    real = shared.clients.client
    for module in (promote, remove, restore, smoke, watch):
        monkeypatch.setattr(
            module, "client", lambda service: fake if service.startswith("sagemaker") else real(service)
        )
    return fake


def promotion(execution: str, run: str, fence: int, started_at: str = EARLY) -> dict[str, Any]:
    return {
        "execution": execution,
        "fence": fence,
        "run": run,
        "started_at": started_at,
        "release": "r" * 64,
        "package_arn": f"arn:package/{run}",
        "endpoint_config": f"dev-penguins-{run}-00",
        "metrics": {"accuracy": 0.9, "tiny": 1e-300},
        "model": {"uri": f"s3://b/{SHA}", "sha256": SHA, "serve": "onnx"},
    }


def test_a_promoted_run_is_the_champion_that_the_next_gate_compares_with(sagemaker: FakeSageMaker) -> None:
    fence = take(ONE, "a" * 12)["fence"]
    promote.handler(promotion(ONE, "a" * 12, fence), None)

    assert sagemaker.packages == {f"arn:package/{'a' * 12}": "Approved"}
    assert item(run_key("penguins", "a" * 12))["status"] == "Deployed"
    champion = item(champion_key("penguins"))
    assert (champion["model_sha256"], champion["serve"], champion["model_uri"]) == (SHA, "onnx", f"s3://b/{SHA}")
    clause = {
        "left": {"metric": "accuracy"},
        "op": ">=",
        "right": {"champion": "accuracy", "plus": 0.0},
        "text": "accuracy >= champion.accuracy",
    }
    verdict = gate.handler({"gate": [clause], "metrics": {"accuracy": 0.89}}, None)
    assert verdict["passed"] is False
    assert verdict["clauses"][0]["limit"] == 0.9


def test_a_run_that_began_before_the_deploy_says_less_of_its_model(sagemaker: FakeSageMaker) -> None:
    """Its definition is the old one, the function is the new one."""
    event = promotion(ONE, "a" * 12, take(ONE, "a" * 12)["fence"])
    del event["model"]
    promote.handler(event, None)
    assert "model_sha256" not in item(champion_key("penguins"))


def test_without_a_champion_the_gate_says_so() -> None:
    assert gate.handler({"gate": [], "metrics": {}}, None) == {"passed": True, "clauses": []}


def test_the_gate_publishes_how_many_of_its_floors_a_model_missed() -> None:
    clause = {"left": {"metric": "accuracy"}, "op": ">=", "right": {"number": 0.8}, "text": "accuracy >= 0.8"}
    assert not gate.handler({"gate": [clause], "metrics": {"accuracy": 0.7}}, None)["passed"]
    (found,) = boto3.client("cloudwatch").list_metrics(Namespace="Modelwright", MetricName="GateFloorsMissed")[
        "Metrics"
    ]
    assert {item["Name"]: item["Value"] for item in found["Dimensions"]} == {
        "Environment": "dev",
        "Pipeline": "penguins",
    }


def test_a_second_attempt_to_promote_changes_nothing(sagemaker: FakeSageMaker) -> None:
    fence = take(ONE, "a" * 12)["fence"]
    first = promote.handler(promotion(ONE, "a" * 12, fence), None)
    sagemaker.packages.clear()

    assert promote.handler(promotion(ONE, "a" * 12, fence), None) == first
    assert sagemaker.packages == {}


def test_a_run_that_lost_its_lease_does_not_move_the_champion(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_fence = take(ONE, "a" * 12)["fence"]
    now = acquire.time.time()
    monkeypatch.setattr(acquire.time, "time", lambda: now + 601)
    promote.handler(promotion(OTHER, "b" * 12, take(OTHER, "b" * 12)["fence"]), None)

    with pytest.raises(promote.LeaseLost, match="no longer holds the lease of mw-dev-penguins"):
        promote.handler(promotion(ONE, "a" * 12, old_fence), None)
    assert sagemaker.packages[f"arn:package/{'a' * 12}"] == "Rejected"
    assert promote._champion_run(promote.Env("penguins", "mw-dev", "mw-dev-penguins")) == "b" * 12


class ContendedTable:
    """A table whose first transactions meet another write of the same item."""

    def __init__(self, conflicts: int, real: Any) -> None:
        self.conflicts, self.real = conflicts, real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def transact_write_items(self, **given: Any) -> Any:
        self.conflicts -= 1
        if self.conflicts < 0:
            return self.real.transact_write_items(**given)
        error = {"Error": {"Code": "TransactionCanceledException", "Message": "x"}}
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}]
        raise ClientError({**error, "CancellationReasons": reasons}, "TransactWriteItems")


@pytest.mark.parametrize("conflicts", [2, 1000])
def test_a_conflict_with_another_run_that_asks_for_the_lease_passes(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch, conflicts: int
) -> None:
    fence = take(ONE, "a" * 12)["fence"]
    table, time = ContendedTable(conflicts, shared.clients.client("dynamodb")), FakeTime(sagemaker)
    monkeypatch.setattr(promote, "client", lambda service: table if service == "dynamodb" else sagemaker)
    monkeypatch.setattr(promote, "time", time)

    if conflicts == 2:
        assert promote.handler(promotion(ONE, "a" * 12, fence), None)["champion"] == "a" * 12
        assert time.slept < 0.1
    else:
        with pytest.raises(promote.PointerContended):
            promote.handler(promotion(ONE, "a" * 12, fence), None)
        assert sagemaker.packages == {f"arn:package/{'a' * 12}": "Rejected"}


def test_a_run_older_than_the_champion_is_superseded_and_holds_no_lease(sagemaker: FakeSageMaker) -> None:
    promote.handler(promotion(ONE, "a" * 12, take(ONE, "a" * 12, LATE)["fence"], LATE), None)
    acquire._give_back(acquire.Env("penguins", "mw-dev", "mw-dev-penguins", 600), ONE)

    assert take(OTHER, "b" * 12, EARLY) == {"status": "Superseded", "champion": "a" * 12}
    assert "execution" not in item(lease_key("mw-dev-penguins"))


class FakeTime:
    """Time that passes only when somebody sleeps; each sleep may change the endpoint."""

    def __init__(self, sagemaker: FakeSageMaker, *changes: dict[str, str] | None) -> None:
        self.sagemaker, self.changes, self.slept = sagemaker, list(changes), 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.changes:
            self.sagemaker.endpoint = self.changes.pop(0)


def restoring(fence: int, previous: str) -> dict[str, Any]:
    cause = json.dumps({"errorMessage": "the model\nanswered 500", "errorType": "SmokeTestFailed"})
    failure = {"state": "SmokeTest", "error": "SmokeTestFailed", "cause": cause}
    return {
        "execution": ONE,
        "fence": fence,
        "previous_config": previous,
        "package_arn": "arn:1",
        "failure": failure,
        "polls": 0,
        "tags": [{"Key": "team", "Value": "ml"}],
    }


def endpoint(status: str, config: str) -> dict[str, str]:
    return {"EndpointStatus": status, "EndpointConfigName": config}


def test_the_old_configuration_is_put_back_step_by_step(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    changes = endpoint("Updating", "new"), endpoint("InService", "old")
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, *changes))

    assert restore.handler(event, None) == {"status": "serves old as before"}
    assert sagemaker.calls == ["update old"]


def test_what_scales_already_is_put_back_without_its_scaling_which_comes_last(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new model may scale on other machines: SageMaker refuses to change those of a variant that does."""
    calls = sagemaker.calls
    scaling = SimpleNamespace(
        remove_target=lambda _, variant: calls.append(f"deregister {variant}"),
        set_target=lambda _, target: calls.append(f"register {target['variant']}"),
        remove_alarm=lambda _: calls.append("no alarm"),
    )
    monkeypatch.setattr(restore, "scaling", scaling)
    variants = {"ProductionVariants": [{"VariantName": "AllTraffic"}]}
    sagemaker.endpoint = {**endpoint("InService", "new"), **variants}  # type: ignore[dict-item]
    changes = endpoint("Updating", "new"), {**endpoint("InService", "old"), **variants}
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, *changes))
    target = {"variant": "AllTraffic", "min": 1, "max": 2, "policies": []}
    found = {"scaling": {"found": True, "targets": [target], "retained": {}}}

    restore.handler(restoring(take(ONE, "a" * 12)["fence"], "old") | found, None)
    assert calls == ["deregister AllTraffic", "update old", "register AllTraffic", "no alarm"]


def test_restoring_that_takes_long_goes_on_in_the_next_invocation(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    time = FakeTime(sagemaker, endpoint("Updating", "new"))
    monkeypatch.setattr(restore, "time", time)

    assert restore.handler(event, None) == {"status": "waiting"}
    assert 8 < time.slept <= restore.RESTORE_SECONDS
    assert sagemaker.calls == ["update old"]


def test_an_endpoint_that_is_gone_is_made_again_with_its_tags(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    sagemaker.endpoint = None
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, endpoint("InService", "old")))

    assert restore.handler(event, None) == {"status": "serves old as before"}
    assert sagemaker.calls == ["create old [{'Key': 'team', 'Value': 'ml'}]"]


def test_a_first_deployment_is_deleted(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "")
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, endpoint("Deleting", "new"), None))

    assert restore.handler(event, None) == {"status": "deleted: nothing served before"}
    assert sagemaker.calls == ["delete"]


def test_an_endpoint_is_watched_until_it_serves_the_new_model(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker.endpoint = endpoint("InService", "old")  # the answer is older than the update
    time = FakeTime(sagemaker, endpoint("Updating", "old"), endpoint("Updating", "old"), endpoint("InService", "new"))
    monkeypatch.setattr(watch, "time", time)

    found = watch.handler({"endpoint_config": "new", "polls": 0}, None)
    assert (found["outcome"], found["endpointConfig"]) == ("Serving", "new")
    assert time.slept < 0.1


def test_a_rollback_is_told_as_soon_as_it_is_certain(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker.endpoint = endpoint("InService", "old")
    time = FakeTime(sagemaker)
    monkeypatch.setattr(watch, "time", time)
    assert watch.handler({"endpoint_config": "new", "polls": 0}, None)["outcome"] == "RolledBack"
    assert time.slept > 8

    monkeypatch.setattr(watch, "time", FakeTime(sagemaker))
    assert watch.handler({"endpoint_config": "new", "polls": 1}, None)["outcome"] == "RolledBack"
    assert watch.time.slept == 0


def test_a_slow_deployment_is_waited_for_by_the_state_machine(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker.endpoint = endpoint("Creating", "new")
    monkeypatch.setattr(watch, "time", FakeTime(sagemaker))
    assert watch.handler({"endpoint_config": "new", "polls": 0}, None)["outcome"] == "Waiting"


def test_an_endpoint_whose_lease_is_another_run_s_is_left_alone(sagemaker: FakeSageMaker) -> None:
    take(OTHER, "b" * 12)
    found = restore.handler(restoring(1, "old"), None)

    assert found == {"status": "left alone: another run holds its lease"}
    assert sagemaker.calls == []


def test_a_package_that_was_not_deployed_is_rejected_once_with_the_reason(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = restoring(take(ONE, "a" * 12)["fence"], "new")
    restore.handler(event, None)
    assert sagemaker.packages == {"arn:1": "Rejected"}
    assert sagemaker.reasons["arn:1"] == "not deployed: SmokeTest: SmokeTestFailed: the model answered 500"

    sagemaker.packages.clear()
    restore.handler({**event, "polls": 1}, None)
    assert sagemaker.packages == {}


def test_a_registry_that_refuses_does_not_keep_the_old_model_from_serving(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateModelPackage")

    monkeypatch.setattr(sagemaker, "update_model_package", refuse)
    monkeypatch.setattr(restore, "time", FakeTime(sagemaker, endpoint("InService", "old")))
    event = restoring(take(ONE, "a" * 12)["fence"], "old")
    assert restore.handler(event, None) == {"status": "serves old as before"}


def test_a_model_that_was_promoted_before_the_failure_stays(sagemaker: FakeSageMaker) -> None:
    """The transaction went through and its answer was lost: pointer and endpoint have to agree."""
    fence = take(ONE, "a" * 12)["fence"]
    promote.handler(promotion(ONE, "a" * 12, fence), None)
    sagemaker.packages.clear()

    found = restore.handler(restoring(fence, "old"), None)
    assert found == {"status": "left alone: this run's model was promoted before the failure"}
    assert sagemaker.calls == []
    assert sagemaker.packages == {}


def test_models_of_another_environment_stay(sagemaker: FakeSageMaker) -> None:
    """In the same account, `prod` has a pipeline of this name, too, and this environment has others."""
    sagemaker.endpoint = endpoint("InService", "dev-penguins-000000000009-00")
    theirs = ["prod-penguins-00000000000f-00", "dev-penguins-2-00000000000f-00", "dev-penguins-handmade"]
    names = ["dev-penguins-000000000001-00", *theirs, "dev-penguins-000000000002-00"]
    sagemaker.models = [
        {"ModelName": name, "EndpointConfigName": name, "CreationTime": index} for index, name in enumerate(names)
    ]

    found = remove.handler({"keep": 0}, None)
    assert found["models"] == ["dev-penguins-000000000001-00", "dev-penguins-000000000002-00"]
    assert [call.split()[1] for call in sagemaker.calls] == [*found["endpointConfigs"], *found["models"]]


def test_old_models_go_and_one_that_cannot_is_said(sagemaker: FakeSageMaker) -> None:
    sagemaker.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "dev-penguins-000000000009-00"}
    sagemaker.models = [
        {"ModelName": name, "EndpointConfigName": name, "CreationTime": index}
        for index, name in enumerate(f"dev-penguins-{index:012x}-00" for index in range(10))
    ]
    sagemaker.undeletable = "dev-penguins-000000000001-00"

    found = remove.handler({"keep": 7}, None)

    assert found["models"] == ["dev-penguins-000000000000-00", "dev-penguins-000000000001-00"]
    assert sagemaker.calls == ["config dev-penguins-000000000000-00", "model dev-penguins-000000000000-00"]
    assert len(found["left"]) == 2
    assert found["left"][0].startswith("dev-penguins-000000000001-00: ")


def smoke_release(body: bytes) -> str:
    test = {
        "body_base64": base64.b64encode(body).decode(),
        "content_type": "text/csv",
        "accept": "application/json",
    }
    return publish(deploy={**manifest()["deploy"], "smoke_test": test})


def test_a_slow_model_has_the_time_that_sagemaker_gives_it() -> None:
    """60 s to answer; all attempts together fit into the function's own time."""
    config = shared.clients.client("sagemaker-runtime").meta.config
    assert config.read_timeout > 60
    assert config.retries["total_max_attempts"] * config.read_timeout < SMOKE_TEST.timeout_seconds


def test_an_endpoint_that_answers_passes_the_smoke_test(sagemaker: FakeSageMaker) -> None:
    found = smoke.handler({"release": smoke_release(b"Adelie,1\n")}, None)
    assert found == {"rows": 1, "predictions": 1, "contentType": "application/json"}


def test_a_model_that_is_still_loaded_is_asked_again(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of several, or a serverless one: no word about what it answers."""
    release, time = smoke_release(b"Adelie,1\n"), FakeTime(sagemaker)
    monkeypatch.setattr(smoke, "time", time)
    sagemaker.loading = 5
    assert smoke.handler({"release": release}, None)["predictions"] == 1
    assert time.slept > 0
    sagemaker.loading = 10_000
    with pytest.raises(ClientError, match="ModelNotReadyException"):
        smoke.handler({"release": release}, None)
    assert time.slept < 2 * smoke.READY_SECONDS


def test_a_model_that_raises_fails_the_smoke_test_with_its_own_words(sagemaker: FakeSageMaker) -> None:
    with pytest.raises(SmokeTestFailed, match="the model answered 500: KeyError: 'mass'"):
        smoke.handler({"release": smoke_release(b"bad\n")}, None)


def tar_gz(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return raw.getvalue()


def test_a_model_is_packaged_under_its_own_hash() -> None:
    put("runs/penguins/r/model.tar.gz", tar_gz({"model.joblib": b"m" * 1000}))
    put("code/penguins/c/code.tar.gz", tar_gz({"inference.py": b"pass"}))
    event = {
        "model_uri": "s3://artifacts/runs/penguins/r/model.tar.gz",
        "code_uri": "s3://artifacts/code/penguins/c/code.tar.gz",
    }

    found = package.handler(event, None)

    key = f"models/penguins/{found['sha256']}/model.tar.gz"
    assert found["uri"] == f"s3://artifacts/{key}"
    stored = boto3.client("s3").get_object(Bucket="artifacts", Key=key)
    content = stored["Body"].read()
    assert hashlib.sha256(content).hexdigest() == found["sha256"]
    assert len(content) == found["bytes"]
    assert stored["SSEKMSKeyId"] == ENVIRONMENT["KEY_ARN"]
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames() == ["model.joblib", "code/inference.py"]
    assert package.handler(event, None) == found


def test_a_schema_that_training_left_lies_beside_the_archive_too() -> None:
    put("runs/penguins/r/model.tar.gz", tar_gz({"model.joblib": b"m", "schema.json": b'{"version": 1}'}))
    put("code/penguins/c/code.tar.gz", tar_gz({"inference.py": b"pass"}))
    event = {
        "model_uri": "s3://artifacts/runs/penguins/r/model.tar.gz",
        "code_uri": "s3://artifacts/code/penguins/c/code.tar.gz",
    }
    found = package.handler(event, None)
    beside = f"models/penguins/{found['sha256']}/schema.json"
    assert boto3.client("s3").get_object(Bucket="artifacts", Key=beside)["Body"].read() == b'{"version": 1}'
