"""Where the output of a state's job or function, or of an endpoint, lies in CloudWatch Logs.

Jobs and endpoints: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from modelwright.client.runs.history import StateRun
    from modelwright.client.session import Session

_JOBS = {
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
}
_ENDPOINTS = "/aws/sagemaker/Endpoints"
_PLATFORM_LINE = re.compile(r"(START|END|REPORT) RequestId: |INIT_START Runtime Version: ")
"""What Lambda writes around each call: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""
_LATE_MS = 30_000
"""CloudWatch takes events of one stream in some seconds late: so far back is looked again"""


@dataclass(frozen=True)
class Place:
    """Part of a log group: streams that begin with `stream`, between two moments (epoch milliseconds) if given."""

    group: str
    stream: str = ""
    start: int | None = None
    end: int | None = None


class LogReader:
    """Reads what states printed; a line that was read before is not given again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._groups: dict[str, str] = {}
        self._seen: dict[tuple[str, str], dict[str, int]] = {}
        """Of each place the events that may come again: id -> when"""
        self._newest: dict[tuple[str, str], int] = {}

    def new_lines(self, state: StateRun) -> Iterator[str]:
        """The lines of a state that are new since the last call, oldest first, the jobs of its attempts in turn."""
        for place in self.places(state):
            yield from self._new_lines(place)

    def new_lines_of_endpoint(self, name: str, variant: str | None, since: datetime) -> Iterator[tuple[str, str]]:
        """An endpoint's lines that are new since the last call: the stream, `<variant>/<instance>`, and the text."""
        stream = f"{variant}/" if variant else ""
        for event in self._new_events(Place(f"{_ENDPOINTS}/{name}", stream, start=_milliseconds(since))):
            yield event["logStreamName"], _text(event)

    def places(self, state: StateRun) -> list[Place]:
        """Where to look for what this state printed; empty for a state that runs nothing."""
        found = [place for request in state.requests for place in self._places(state, request)]
        return list(dict.fromkeys(found))

    def _places(self, state: StateRun, request: Mapping[str, Any]) -> list[Place]:
        for member, group in _JOBS.items():
            if member in request:
                return [Place(group, f"{request[member]}/")]
        if not request.get("FunctionName"):
            return []
        start = _milliseconds(state.entered)
        end = _milliseconds(state.ended) + 1000 if state.ended else None  # the last lines are written as it answers
        return [Place(self._group(request["FunctionName"]), start=start, end=end)]

    def _group(self, function: str) -> str:
        if function not in self._groups:
            found = self._session.client("lambda").get_function_configuration(FunctionName=function)
            group = found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{found['FunctionName']}"
            self._groups[function] = str(group)
        return self._groups[function]

    def _new_lines(self, place: Place) -> Iterator[str]:
        for event in self._new_events(place):
            if not _PLATFORM_LINE.match(event["message"]):
                yield _text(event)

    def _new_events(self, place: Place) -> Iterator[dict[str, Any]]:
        key = (place.group, place.stream or str(place.start))
        seen = self._seen.setdefault(key, {})
        for event in self._events(place, self._newest.get(key)):
            if event["eventId"] not in seen:
                seen[event["eventId"]] = event["timestamp"]
                self._newest[key] = max(self._newest.get(key, 0), event["timestamp"])
                yield event
        oldest = self._newest.get(key, 0) - _LATE_MS
        self._seen[key] = {id_: at for id_, at in seen.items() if at >= oldest}

    def kept(self) -> int:
        """How many events are remembered, as they may come again."""
        return sum(map(len, self._seen.values()))

    def _events(self, place: Place, newest: int | None) -> Iterator[dict[str, Any]]:
        """Nothing when the group is not there: the job, or the endpoint, never began."""
        client = self._session.client("logs")
        start = place.start if newest is None else max(place.start or 0, newest - _LATE_MS)
        wanted = {"logStreamNamePrefix": place.stream or None, "startTime": start, "endTime": place.end}
        request = {name: value for name, value in wanted.items() if value is not None}
        try:
            for page in client.get_paginator("filter_log_events").paginate(logGroupName=place.group, **request):
                yield from page["events"]
        except client.exceptions.ResourceNotFoundException:
            return


def _text(event: Mapping[str, Any]) -> str:
    return str(event["message"]).rstrip("\r\n")


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
