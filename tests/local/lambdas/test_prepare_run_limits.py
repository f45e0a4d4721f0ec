"""`PrepareRun`: as many runs a day as allowed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from prepare_ground import A, B, Executions, execution, merge, release, start

from shared.errors import ReleaseNotFound, RunLimitReached
from shared.run_id import run_id
from shared.table import run_key

pytestmark = pytest.mark.usefixtures("executions")


@pytest.fixture
def at_most_two(executions: Executions, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `executions`, which sets the whole environment."""
    monkeypatch.setenv("MAX_RUNS_PER_DAY", "2")


@pytest.mark.usefixtures("at_most_two")
def test_the_run_over_the_limit_is_refused_with_what_to_do() -> None:
    start("one")
    start("two")
    with pytest.raises(RunLimitReached) as caught:
        start("three")
    assert str(caught.value) == (
        "penguins has had its runs of 2026-11-21 (UTC): limits.max_runs_per_day in environments/dev.yaml is 2. "
        "The next may start at 2026-11-22T00:00:00Z; a higher limit there holds from the next deploy on."
    )
    assert "Item" not in boto3.client("dynamodb").get_item(
        TableName="mw-dev", Key=run_key("penguins", run_id(execution("three")))
    )
    assert start("four", at="2026-11-22T00:00:00.000Z")["status"] == "Ready"


@pytest.mark.usefixtures("at_most_two")
def test_a_day_is_one_of_utc_and_that_of_the_executions_start() -> None:
    start("one", at="2026-11-22T01:00:00.000+02:00")
    start("two", at="2026-11-21T23:59:59.999Z")
    with pytest.raises(RunLimitReached, match="2026-11-21"):
        start("three", at="2026-11-21T00:00:00.000Z")


@pytest.mark.usefixtures("at_most_two")
def test_what_does_not_run_does_not_count() -> None:
    merge("one")
    start("two", {"kind": "merge", "id": "one", "commit": A}, release=release(commit=A))  # delivered again
    merge("three", B)  # unchanged
    merge("one")  # the function was tried again
    with pytest.raises(ReleaseNotFound):
        start("four", release="0" * 64)
    start("five")
    with pytest.raises(RunLimitReached):
        start("six")
    start("five")


@pytest.mark.usefixtures("at_most_two")
def test_many_at_once_are_not_more_than_allowed() -> None:
    release()

    def tried(number: int) -> str:
        try:
            return str(start(f"n{number}", release=release())["status"])
        except RunLimitReached:
            return "refused"

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(tried, range(8)))
    assert sorted(found) == ["Ready"] * 2 + ["refused"] * 6


def test_without_a_limit_nothing_is_counted() -> None:
    for number in range(5):
        start(f"n{number}")
    items = boto3.client("dynamodb").scan(TableName="mw-dev")["Items"]
    assert not [item for item in items if item["sk"]["S"].startswith("DAY#")]
