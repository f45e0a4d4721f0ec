"""What a state printed, found by its jobs and functions, each line once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_aws import START, FakeSession, Pages, refused

from modelwright.client.runs.history import StateRun
from modelwright.client.runs.logs import LogReader, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTERED = round(START.timestamp() * 1000)


class MissingError(Exception):
    pass


class Logs:
    """Log groups: stream -> lines (time in ms since the state was entered, text)."""

    class exceptions:  # noqa: N801 # botocore's name
        ResourceNotFoundException = MissingError

    def __init__(self, groups: dict[str, dict[str, list[tuple[int, str]]]]) -> None:
        self.groups = groups
        self.requests: list[dict[str, Any]] = []

    def get_paginator(self, _: str) -> Pages:
        return Pages(self._filter)

    def _filter(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.requests.append(request)
        if request["logGroupName"] not in self.groups:
            raise MissingError
        events = [
            {"eventId": f"{stream}:{number}", "timestamp": ENTERED + at, "message": text, "logStreamName": stream}
            for stream, lines in self.groups[request["logGroupName"]].items()
            if stream.startswith(request.get("logStreamNamePrefix", ""))
            for number, (at, text) in enumerate(lines)
            if request.get("startTime", 0) <= ENTERED + at <= request.get("endTime", 1 << 60)
        ]
        for event in sorted(events, key=lambda event: event["timestamp"]):
            yield {"events": [event]}


class Functions:
    def __init__(self, group: str | None = None) -> None:
        self.group, self.asked = group, 0

    def get_function_configuration(self, **request: Any) -> dict[str, Any]:
        self.asked += 1
        name = request["FunctionName"].rsplit(":", 1)[-1]
        return {"FunctionName": name, **({"LoggingConfig": {"LogGroup": self.group}} if self.group else {})}


def state(*requests: dict[str, Any], seconds: float | None = 1.0) -> StateRun:
    ended = None if seconds is None else START + timedelta(seconds=seconds)
    return StateRun("TrainModel", "Task", START, ended=ended, requests=list(requests))


def test_a_jobs_lines_are_in_its_streams_only() -> None:
    logs = Logs(
        {"/aws/sagemaker/TrainingJobs": {"job-1/algo-1": [(1, "one\n"), (2, "two\r\n")], "job-10/a": [(1, "no")]}}
    )
    reader = LogReader(FakeSession(logs=logs))
    assert list(reader.new_lines(state({"TrainingJobName": "job-1"}))) == ["one", "two"]


def test_each_attempt_has_its_own_job_and_a_job_is_read_once() -> None:
    logs = Logs({"/aws/sagemaker/ProcessingJobs": {"job-0/algo-1": [(1, "failed")], "job-1/algo-1": [(5, "well")]}})
    reader = LogReader(FakeSession(logs=logs))
    tried = state({"ProcessingJobName": "job-0"}, {"ProcessingJobName": "job-1"}, {"ProcessingJobName": "job-1"})
    assert list(reader.new_lines(tried)) == ["failed", "well"]


def test_a_line_is_given_once_and_a_late_one_is_not_lost() -> None:
    lines = [(1_000, "one"), (40_000, "two")]
    logs = Logs({"/aws/sagemaker/TrainingJobs": {"job/algo-1": lines}})
    reader, running = LogReader(FakeSession(logs=logs)), state({"TrainingJobName": "job"}, seconds=None)
    assert list(reader.new_lines(running)) == ["one", "two"]
    assert list(reader.new_lines(running)) == []
    lines += [(39_000, "late"), (41_000, "three")]
    assert list(reader.new_lines(running)) == ["late", "three"]
    assert logs.requests[-1]["startTime"] == ENTERED + 10_000, "what is long read is not asked for again"


def test_what_was_read_is_kept_only_as_long_as_it_can_come_again() -> None:
    """Who follows for a week holds what CloudWatch may still send, and each line comes once all the same."""
    lines: list[tuple[int, str]] = []
    logs = Logs({"/aws/sagemaker/Endpoints/e": {"a/i-1": lines}})
    reader = LogReader(FakeSession(logs=logs))
    for number in range(300):
        lines.append((number * 1000, f"line {number}"))
        found = list(reader.new_lines_of_endpoint("e", None, START))
        assert found == [("a/i-1", f"line {number}")]
    assert reader.kept() <= 31 + 1


def test_a_function_prints_into_its_group_while_its_state_lasts() -> None:
    lines = [
        (-500, "of a run before"),
        (0, "INIT_START Runtime Version: python:3.13"),
        (1, "START RequestId: 1 Version: $LATEST"),
        (2, '{"message": "gate checked"}'),
        (3, "END RequestId: 1"),
        (4, "REPORT RequestId: 1 Duration: 2 ms"),
        (2_500, "of a run after"),
    ]
    functions = Functions()
    reader = LogReader(FakeSession(logs=Logs({"/aws/lambda/gate": {"stream": lines}}), **{"lambda": functions}))
    gate = state({"FunctionName": "arn:aws:lambda:eu-central-1:123456789012:function:gate"})
    assert list(reader.new_lines(gate)) == ['{"message": "gate checked"}']
    assert list(reader.new_lines(gate)) == []
    assert functions.asked == 1


def test_a_function_with_a_group_of_its_own() -> None:
    reader = LogReader(FakeSession(**{"lambda": Functions("/mw/gate")}))
    assert reader.places(state({"FunctionName": "gate"})) == [Place("/mw/gate", "", ENTERED, ENTERED + 2000)]
    running = reader.places(state({"FunctionName": "gate"}, seconds=None))
    assert running == [Place("/mw/gate", "", ENTERED, None)]


@pytest.mark.parametrize("request_", [{}, {"EndpointName": "x"}, {"ModelName": "y"}])
def test_what_runs_nothing_has_no_place(request_: dict[str, Any]) -> None:
    assert LogReader(FakeSession()).places(state(request_)) == []


def test_a_job_that_never_began_has_no_group() -> None:
    reader = LogReader(FakeSession(logs=Logs({})))
    assert list(reader.new_lines(state({"TransformJobName": "job"}))) == []


def test_a_refusal_is_not_taken_for_no_lines() -> None:
    class Denied(Logs):
        def _filter(self, **_: Any) -> Iterator[dict[str, Any]]:
            raise refused("AccessDeniedException", "no", "FilterLogEvents")

    with pytest.raises(Exception, match="AccessDenied"):
        list(LogReader(FakeSession(logs=Denied({}))).new_lines(state({"TrainingJobName": "job"})))


def test_an_endpoints_lines_say_their_stream_and_come_once() -> None:
    streams = {
        "a/i-1": [(-5, "before"), (1, "one\n")],
        "a/i-2": [(2, "START RequestId: mine")],
        "ab/i-1": [(3, "other")],
    }
    logs = Logs({"/aws/sagemaker/Endpoints/e": streams})
    reader = LogReader(FakeSession(logs=logs))
    assert list(reader.new_lines_of_endpoint("e", "a", START)) == [("a/i-1", "one"), ("a/i-2", "START RequestId: mine")]
    streams["a/i-1"].append((9, "two"))
    assert list(reader.new_lines_of_endpoint("e", "a", START)) == [("a/i-1", "two")]
    assert len(list(LogReader(FakeSession(logs=logs)).new_lines_of_endpoint("e", None, START))) == 4
    assert list(reader.new_lines_of_endpoint("never-deployed", None, START)) == []
