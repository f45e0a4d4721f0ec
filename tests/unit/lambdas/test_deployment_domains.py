from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquire_deployment.domain import newer_champion, order
from remove_old_models.domain import Named, beyond, is_ours
from restore_endpoint.domain import next_step
from shared.endpoint import BUSY
from shared.patience import pauses, pauses_until
from watch_endpoint.domain import Look, judge

EARLY, LATE = "2026-11-20T10:00:00.001Z", "2026-11-20T10:00:00.002Z"
START = datetime(2026, 1, 1, tzinfo=UTC)
run_ids = st.text("0123456789abcdef", min_size=12, max_size=12)


def champion(started_at: str, run: str) -> dict[str, str]:
    return {"run": run, "run_started_at": started_at}


def test_a_newer_champion_supersedes() -> None:
    assert newer_champion(champion(LATE, "a" * 12), EARLY, "b" * 12) == "a" * 12
    assert newer_champion(champion(EARLY, "a" * 12), LATE, "b" * 12) is None
    assert newer_champion(None, EARLY, "b" * 12) is None


def test_a_run_never_supersedes_itself() -> None:
    assert newer_champion(champion(EARLY, "a" * 12), EARLY, "a" * 12) is None


@given(run_ids, run_ids, st.sampled_from([EARLY, LATE]), st.sampled_from([EARLY, LATE]))
def test_of_two_runs_exactly_one_is_newer_whoever_asks(one: str, other: str, at: str, then: str) -> None:
    if (at, one) == (then, other) or one == other:
        return
    superseded = [
        newer_champion(champion(at, one), then, other) is not None,
        newer_champion(champion(then, other), at, one) is not None,
    ]
    assert superseded.count(True) == 1


def test_starts_with_and_without_milliseconds_are_compared_as_times() -> None:
    assert order("2026-11-20T10:00:00Z", "a") < order("2026-11-20T10:00:00.5Z", "a")


@pytest.mark.parametrize(
    ("status", "config", "previous", "action", "said"),
    [
        (None, None, "", "none", "deleted: nothing served before"),
        (None, None, "old", "create", "waiting"),
        ("InService", "new", "", "delete", "waiting"),
        ("InService", "new", "old", "update", "waiting"),
        ("InService", "old", "old", "none", "serves old as before"),
        ("Failed", "new", "old", "delete", "waiting"),
        ("Failed", "new", "", "delete", "waiting"),
        ("UpdateRollbackFailed", "new", "old", "none", "not restored: it is UpdateRollbackFailed"),
        ("OutOfService", "new", "old", "none", "not restored: it is OutOfService"),
    ],
)
def test_the_next_step_back(status: str | None, config: str | None, previous: str, action: str, said: str) -> None:
    step = next_step(status, config, previous)
    assert (step.action, step.status) == (action, said)


@pytest.mark.parametrize("status", sorted(BUSY))
@pytest.mark.parametrize("previous", ["", "old"])
def test_what_is_busy_is_waited_for(status: str, previous: str) -> None:
    assert next_step(status, "new", previous).action == "wait"


def test_steps_lead_to_rest_from_a_failed_update() -> None:
    """Failed -> delete -> Deleting -> absent -> create -> Creating -> InService with the old configuration."""
    seen = [("Failed", "new"), ("Deleting", "new"), (None, None), ("Creating", "old"), ("InService", "old")]
    actions = [next_step(status, config, "old").action for status, config in seen]
    assert actions == ["delete", "wait", "create", "wait", "none"]


@pytest.mark.parametrize(
    ("status", "config", "certain", "outcome"),
    [
        ("InService", "new", False, "Serving"),
        ("InService", "old", True, "RolledBack"),
        ("InService", "old", False, "Waiting"),
        ("RollingBack", "old", True, "Waiting"),
        ("Creating", "new", False, "Waiting"),
        ("Failed", "new", False, "Failed"),
        ("OutOfService", "new", True, "Failed"),
        ("UpdateRollbackFailed", "new", True, "Failed"),
    ],
)
def test_what_became_of_a_deployment(status: str, config: str, certain: bool, outcome: str) -> None:
    assert judge(Look(status, config), "new", certain=certain) == outcome


@given(st.floats(0, 60))
def test_looks_are_soon_at_first_never_too_many_and_end_in_time(seconds: float) -> None:
    found = list(pauses(seconds))
    assert sum(found) <= seconds
    assert found == sorted(found)
    assert len(found) <= 18 + seconds


@given(st.floats(0, 60), st.floats(0, 5))
def test_looks_until_a_moment_count_what_is_done_between_them(seconds: float, each: float) -> None:
    past = [1000.0]
    for pause in pauses_until(1000 + seconds, lambda: past[-1]):
        past.append(past[-1] + each + pause)
    assert past[-1] <= 1000 + seconds + each + 1e-6


def named(index: int, *, at: int | None = None) -> Named:
    return Named(f"dev-penguins-{index:012x}-00", START + timedelta(hours=index if at is None else at))


def test_the_newest_are_kept_and_what_serves_beside_them() -> None:
    found = [named(index) for index in range(6)]
    serving = frozenset({named(0).name})
    assert beyond(found, 3, serving) == [named(1).name, named(2).name]


def test_other_pipelines_and_strangers_are_not_ours() -> None:
    strangers = [
        "dev-penguins-2-0123456789ab-00",
        "dev-penguins-handmade",
        "dev-fish-0123456789ab-00",
        "dev-a-penguins-0123456789ab-00",
        "prod-penguins-0123456789ab-00",
        "penguins-0123456789ab-00",
        "dev-penguins-0123456789ab-0",
    ]
    assert [name for name in strangers if is_ours(name, "dev", "penguins")] == []
    assert is_ours("dev-penguins-0123456789ab-12", "dev", "penguins")


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 5)), unique_by=lambda pair: pair[0]),
    st.integers(0, 10),
    st.integers(0, 99),
)
def test_never_more_goes_than_is_beyond_and_never_what_serves(
    pairs: list[tuple[int, int]], keep: int, serving: int
) -> None:
    found = [named(index, at=hour) for index, hour in pairs]
    used = frozenset({named(serving).name})
    gone = beyond(found, keep, used)
    others = [item for item in found if item.name not in used]
    assert not used & set(gone)
    assert len(gone) == max(0, len(others) - keep)
    kept = [item.created for item in others if item.name not in gone]
    assert all(item.created <= min(kept) for item in others if item.name in gone and kept)
