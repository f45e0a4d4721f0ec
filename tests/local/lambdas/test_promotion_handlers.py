"""`AcquireDeployment` and `PromoteModel`: one run at a time moves the champion."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from fake_sagemaker import FakeSageMaker, FakeTime
from handler_ground import EARLY, LATE, ONE, OTHER, item, promotion, stepfunctions, take
from workflow_answers import SHA

import acquire_deployment.handler as acquire
import check_quality_gate.handler as gate
import promote_model.handler as promote
import shared.clients
from shared.table import champion_key, lease_key, run_key

pytestmark = pytest.mark.usefixtures("aws")


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


class SilentTable:
    """A table whose answer to a transaction that it wrote never arrives."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def transact_write_items(self, **given: Any) -> Any:
        self.real.transact_write_items(**given)
        raise ReadTimeoutError(endpoint_url="https://dynamodb")


def test_a_promotion_whose_answer_is_lost_is_one(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """`RestoreEndpoint` leaves such a model serving: the registry must not call it rejected."""
    fence = take(ONE, "a" * 12)["fence"]
    table = SilentTable(shared.clients.client("dynamodb"))
    monkeypatch.setattr(promote, "client", lambda service: table if service == "dynamodb" else sagemaker)

    assert promote.handler(promotion(ONE, "a" * 12, fence), None)["champion"] == "a" * 12
    assert sagemaker.packages == {f"arn:package/{'a' * 12}": "Approved"}


def test_a_run_older_than_the_champion_is_superseded_and_holds_no_lease(sagemaker: FakeSageMaker) -> None:
    promote.handler(promotion(ONE, "a" * 12, take(ONE, "a" * 12, LATE)["fence"], LATE), None)
    acquire._give_back(acquire.Env("penguins", "mw-dev", "mw-dev-penguins", 600), ONE)

    assert take(OTHER, "b" * 12, EARLY) == {"status": "Superseded", "champion": "a" * 12}
    assert "execution" not in item(lease_key("mw-dev-penguins"))
