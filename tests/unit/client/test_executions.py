"""Starting, watching and finding executions."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fake_aws import PENGUINS, START, Execution, FakeSession, Pauses, StepFunctions, Story

from modelwright.client.runs import executions
from modelwright.client.runs.executions import run_id
from modelwright.config.execution import ExecutionInput, Trigger
from modelwright.errors import RunNotFound

if TYPE_CHECKING:
    from typing import Any

    from modelwright.client.runs.history import History, StateRun

OTHER = PENGUINS.__class__(
    **{**vars(PENGUINS), "pipeline": "rents", "state_machine_arn": PENGUINS.state_machine_arn + "2"}
)


def story(*names: str) -> Story:
    found = Story()
    for name in names:
        found.task(name)
    found.event("ExecutionSucceeded", output="{}")
    return found


def execution(name: str, minutes: int = 0, **more: object) -> Execution:
    return Execution(name, story("TrainModel"), started=START + timedelta(minutes=minutes), **more)


def test_a_run_is_named_as_the_state_machine_names_it() -> None:
    assert run_id("arn:x") == hashlib.sha256(b"arn:x").hexdigest()[:12]


def test_start_is_named_after_the_trigger_so_that_twice_is_once() -> None:
    machine = StepFunctions()
    request = ExecutionInput("penguins", "a" * 64, Trigger("manual", "id-1"), overrides={"C": "0.5"})
    arn = executions.start(FakeSession(stepfunctions=machine), PENGUINS, request)
    assert arn.endswith(":execution:penguins-machine:id-1")
    assert machine.executions[arn].given == {
        "schema": 1,
        "pipeline": "penguins",
        "release": "a" * 64,
        "trigger": {"kind": "manual", "id": "id-1"},
        "overrides": {"C": "0.5"},
    }


def test_watch_tells_each_state_once_and_asks_less_often_while_nothing_happens() -> None:
    one = Execution("x", story("ProcessData", "TrainModel"), output={"status": "Deployed"}, shown=1)
    machine, pauses, told = StepFunctions(one), Pauses(one, idle=5), []

    def on_change(history: History, ended: list[StateRun]) -> None:
        told.extend(state.name for state in ended)

    run, history = executions.watch(FakeSession(stepfunctions=machine), "penguins", one.arn, on_change, pauses)
    assert told == ["ProcessData", "TrainModel"]
    assert (run.outcome, run.status, run.seconds) == ("Deployed", "SUCCEEDED", 12.5)
    assert history.ended
    assert pauses.lengths[:5] == pytest.approx([0.05, 0.075, 0.1125, 0.16875, 0.2])
    assert pauses.lengths[-1] == 0.05


def test_watch_waits_for_the_result_that_comes_after_the_last_event() -> None:
    one = Execution("x", story("TrainModel"), output={"status": "Rejected"})
    machine, asked = StepFunctions(one), []

    class Late(StepFunctions):
        def describe_execution(self, **request: object) -> dict[str, object]:
            asked.append(request)
            found = machine.describe_execution(**request)
            return {**found, "status": "RUNNING"} if len(asked) < 3 else found

    pauses = Pauses()
    run, _ = executions.watch(FakeSession(stepfunctions=Late(one)), "penguins", one.arn, lambda *_: None, pauses)
    assert run.outcome == "Rejected"
    assert len(pauses.lengths) == 2


class Growing(StepFunctions):
    """An execution that goes on while its history is read: the pages, newest first, move by what came meanwhile."""

    def get_execution_history(self, **request: Any) -> dict[str, Any]:
        found = super().get_execution_history(**request)
        for each in self.executions.values():
            each.story.enter("Pass", "Later")
        return found


def test_an_event_that_two_pages_have_is_told_once() -> None:
    long = Story()
    for number in range(100):
        long.enter("Pass", f"State{number}")
    one, newest = Execution("one", long, status="RUNNING"), len(long.events)
    found = [event["id"] for event in executions.new_events(FakeSession(stepfunctions=Growing(one)), one.arn, 10)]
    assert found == list(range(11, newest + 1))


def test_new_events_reads_no_page_that_was_read_before() -> None:
    one = Execution("x", story(*[f"State{number}" for number in range(20)]))
    machine = StepFunctions(one)
    session = FakeSession(stepfunctions=machine)
    everything = executions.new_events(session, one.arn, 0)
    assert [event["id"] for event in everything] == list(range(1, len(one.story.events) + 1))
    assert machine.history_calls == 5
    last = executions.new_events(session, one.arn, len(one.story.events) - 2)
    assert [event["id"] for event in last] == [101, 102]
    assert machine.history_calls == 6
    assert executions.new_events(session, one.arn, 102) == []


def test_history_is_read_whole_over_its_pages() -> None:
    one = Execution("x", story("A", "B", "C"))
    found = executions.history(FakeSession(stepfunctions=StepFunctions(one)), one.arn)
    assert [state.name for state in found.states] == ["A", "B", "C"]
    assert found.ended


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        ("SUCCEEDED", {"status": "Rejected"}, "Rejected"),
        ("SUCCEEDED", {}, "Succeeded"),
        ("FAILED", None, "Failed"),
        ("TIMED_OUT", None, "TimedOut"),
        ("ABORTED", None, "Stopped"),
    ],
)
def test_outcome_in_one_word(status: str, output: dict[str, str] | None, expected: str) -> None:
    one = execution("x", status=status, output=output)
    assert executions.describe(FakeSession(stepfunctions=StepFunctions(one)), "p", one.arn).outcome == expected


def test_a_deployment_that_was_sent_back_is_no_common_failure() -> None:
    one = execution("x", status="FAILED", error="RolledBack", cause="DeployEndpoint: an alarm")
    assert executions.describe(FakeSession(stepfunctions=StepFunctions(one)), "p", one.arn).outcome == "RolledBack"


def test_a_run_that_goes_on_has_no_end() -> None:
    one = execution("x")
    one.shown = 2
    run = executions.describe(FakeSession(stepfunctions=StepFunctions(one)), "penguins", one.arn)
    assert (run.outcome, run.stopped, run.seconds, run.result) == ("Running", None, None, {})


class TestFind:
    first = execution("aaaa-first", 0)
    second = execution("aaaa-second", 1)
    other = Execution(
        "bbbb-other", story("TrainModel"), started=START + timedelta(minutes=2), machine=OTHER.state_machine_arn
    )
    session = FakeSession(stepfunctions=StepFunctions(first, second, other))

    def find(self, wanted: str) -> executions.Run:
        return executions.find(self.session, [PENGUINS, OTHER], wanted)

    def test_last_is_the_newest_of_all_pipelines(self) -> None:
        found = self.find("last")
        assert (found.arn, found.pipeline) == (self.other.arn, "rents")

    @pytest.mark.parametrize("length", [4, 12])
    def test_by_the_beginning_of_its_id(self, length: int) -> None:
        assert self.find(run_id(self.first.arn)[:length]).arn == self.first.arn

    def test_by_name_and_by_arn(self) -> None:
        assert self.find("aaaa-second").arn == self.second.arn
        assert self.find(self.second.arn).arn == self.second.arn

    def test_a_name_wins_over_another_that_begins_with_it(self) -> None:
        longer = execution("aaaa-first-2", 5)
        session = FakeSession(stepfunctions=StepFunctions(self.first, longer))
        assert executions.find(session, [PENGUINS], "aaaa-first").arn == self.first.arn

    def test_several_are_named(self) -> None:
        with pytest.raises(RunNotFound) as error:
            self.find("aaaa")
        ids = f"{run_id(self.second.arn)} and {run_id(self.first.arn)}"
        assert str(error.value) == f"'aaaa' is the beginning of 2 runs: {ids}.\nGive more of the run's id."

    def test_none_names_the_latest_first(self) -> None:
        with pytest.raises(RunNotFound) as error:
            self.find("nonesuch")
        ids = [run_id(each.arn) for each in (self.other, self.second, self.first)]
        assert str(error.value) == f"There is no run 'nonesuch'.\nThe latest: {ids[0]}, {ids[1]} and {ids[2]}."

    def test_a_pipelines_name_is_none_and_says_what_is(self) -> None:
        with pytest.raises(RunNotFound) as error:
            self.find("penguins")
        assert str(error.value) == (
            "'penguins' is a pipeline, not a run.\n`modelwright runs penguins` lists its runs; `last` is the newest."
        )

    def test_too_short_a_beginning(self) -> None:
        with pytest.raises(RunNotFound) as error:
            self.find(run_id(self.first.arn)[:2])
        assert str(error.value).endswith("is too short for a run's id.\nGive at least 4 characters of it.")

    def test_nothing_has_run(self) -> None:
        for wanted in ("last", "abcd"):
            with pytest.raises(RunNotFound, match=r"^Nothing has run yet\.\n"):
                executions.find(FakeSession(stepfunctions=StepFunctions()), [PENGUINS], wanted)


def test_stop_named_stops_what_was_started_though_its_answer_was_lost() -> None:
    running, over = execution("mine"), execution("yours")
    running.shown = 2
    machine = StepFunctions(running, over)
    session = FakeSession(stepfunctions=machine)
    assert executions.stop_named(session, PENGUINS, "mine", "Ctrl-C")
    assert machine.stopped == [(running.arn, "Ctrl-C")]
    assert not executions.stop_named(session, PENGUINS, "yours", "Ctrl-C")
    assert not executions.stop_named(session, PENGUINS, "never", "Ctrl-C")
