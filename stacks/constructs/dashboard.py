"""One page about a pipeline: is it healthy, how good is its model over time, what do runs cost in time, how it serves.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch

from modelwright.workflow.states_model import VARIANT
from stacks.constructs.alarms import command
from stacks.constructs.endpoint_alarms import FULL_PERCENT
from stacks.constructs.pipeline_alarms import FLOORS_MISSED
from stacks.grants.functions import METRIC_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from modelwright.config.environment import AlarmSettings
    from stacks.names import PipelineNames

COLUMNS = 24
"""of a dashboard"""
RED, GREEN, BLUE, ORANGE, GREY, PURPLE = "#d62728", "#2ca02c", "#1f77b4", "#ff7f0e", "#7f7f7f", "#9467bd"
Line = list[Any]
Widget = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """What a pipeline's dashboard shows."""

    names: PipelineNames
    state_machine_arn: str
    log_group: str
    alarms: Sequence[cloudwatch.CfnAlarm]
    levels: AlarmSettings
    endpoint: str
    """The kind; `none` without one."""
    variants: Sequence[str]
    """Those with machines."""


def dashboard(scope: Construct, page: Page) -> None:
    """Make the dashboard. It opens with four weeks, and its graphs' periods follow whatever time is looked at."""
    rows = [[_head(page)], [_health(page)], [_runs(page), _quality(page)], [_time_of_runs(page), _time_of_steps(page)]]
    if page.endpoint != "none":
        last = {"async": _queue, "serverless": _concurrency}.get(page.endpoint, _instances)
        rows.append([_requests(page), _latency(page), last(page)])
    body = {"start": "-P4W", "periodOverride": "auto", "widgets": _placed(rows)}
    cloudwatch.CfnDashboard(scope, page.names.construct("Dashboard"), dashboard_body=json.dumps(body))


def _placed(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Give the widgets of a row the same width, and the rows their places one under the other."""
    placed, y = [], 0
    for row in rows:
        width = COLUMNS // len(row)
        placed += [{**widget, "x": number * width, "y": y, "width": width} for number, widget in enumerate(row)]
        y += max(widget["height"] for widget in row)
    return placed


def _head(page: Page) -> Widget:
    """What this is, and where to go from here."""
    names = page.names
    machine = f"https://{Aws.REGION}.console.aws.amazon.com/states/home?region={Aws.REGION}#/statemachines/view/"
    text = (
        f"# {names.pipeline} · {names.environment}\n"
        f"[Runs in Step Functions]({machine}{page.state_machine_arn}) — an alarm's own page says what to do. "
        f"What ran: {command(names.environment, f'runs {names.pipeline}')} · one run: "
        f"{command(names.environment, 'show RUN')} · what its scripts printed: "
        f"{command(names.environment, 'logs RUN')} · run again: {command(names.environment, f'run {names.pipeline}')}"
    )
    return {"type": "text", "height": 3, "properties": {"markdown": text}}


def _health(page: Page) -> Widget:
    properties = {
        "title": "Healthy? Alarms that are on come first",
        "alarms": [alarm.attr_arn for alarm in page.alarms],
        "sortBy": "stateUpdatedTimestamp",
    }
    return {"type": "alarm", "height": 4, "properties": properties}


def _runs(page: Page) -> Widget:
    shown = {
        "ExecutionsSucceeded": ("ended well", GREEN),
        "ExecutionsFailed": ("failed", RED),
        "ExecutionsTimedOut": ("took too long", ORANGE),
        "ExecutionsAborted": ("stopped by somebody", GREY),
    }
    metrics = [
        ["AWS/States", name, "StateMachineArn", page.state_machine_arn, {"label": label, "color": colour}]
        for name, (label, colour) in shown.items()
    ]
    return _graph("Runs", metrics, stat="Sum", stacked=True)


def _quality(page: Page) -> Widget:
    """Whatever the evaluation measures: the names are the user's. The gate's own floors are in the release."""
    names = page.names
    schema = f"{{{METRIC_NAMESPACE},Environment,Pipeline}}"
    of_pipeline = f'Environment="{names.environment}" Pipeline="{names.pipeline}" NOT MetricName="{FLOORS_MISSED}"'
    search = {"expression": f"SEARCH('{schema} {of_pipeline}', 'Average', 3600)", "id": "quality", "label": ""}
    dimensions = ["Environment", names.environment, "Pipeline", names.pipeline]
    missed = {"label": "gate floors missed", "stat": "Maximum", "yAxis": "right", "color": RED}
    floors = [
        {"label": f"floor of {name}", "value": floor, "color": RED}
        for name, floor in sorted(page.levels.metric_floors.items())
    ]
    return _graph(
        "How good is each model",
        [[search], [METRIC_NAMESPACE, FLOORS_MISSED, *dimensions, missed]],
        yAxis={"right": {"min": 0}},
        **({"annotations": {"horizontal": floors}} if floors else {}),
    )


def _time_of_runs(page: Page) -> Widget:
    """Step Functions counts milliseconds: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html."""
    hidden = ["AWS/States", "ExecutionTime", "StateMachineArn", page.state_machine_arn]
    metrics: list[Line] = [
        [*hidden, {"id": "average", "stat": "Average", "visible": False}],
        [*hidden, {"id": "longest", "stat": "Maximum", "visible": False}],
        [{"expression": "average / 60000", "id": "e1", "label": "average", "color": BLUE}],
        [{"expression": "longest / 60000", "id": "e2", "label": "longest", "color": GREY}],
    ]
    return _graph("Minutes that a run took", metrics, yAxis=_from_zero("minutes"))


def _time_of_steps(page: Page) -> Widget:
    """From the state machine's log, which tells when a state is entered and left: no metric has it, none is written."""
    query = (
        f"SOURCE '{page.log_group}' | filter type like /^TaskState(Entered|Exited)$/\n"
        "| fields toMillis(@timestamp) as at, details.name as state\n"
        "| stats (max(at) - min(at)) / 1000 as seconds by state, execution_arn\n"
        "| stats avg(seconds) as average, max(seconds) as longest, count(*) as runs by state\n"
        "| sort average desc\n"
        "| limit 12"
    )
    properties = {"title": "Seconds by step", "region": Aws.REGION, "query": query, "view": "table"}
    return {"type": "log", "height": 6, "properties": properties}


def _requests(page: Page) -> Widget:
    shown = {
        "Invocations": ("requests", BLUE),
        "Invocation4XXErrors": ("wrong (4xx)", ORANGE),
        "Invocation5XXErrors": ("errors (5xx)", RED),
    }
    if page.endpoint == "async":  # which has no Invocations, but counts each request in its errors, as 1 or 0
        shown.pop("Invocations")
    metrics = [
        line
        for name, (label, colour) in shown.items()
        for line in _endpoint(page, "AWS/SageMaker", name, label=label, color=colour)
    ]
    if page.endpoint == "async":
        metrics += _endpoint(page, "AWS/SageMaker", "Invocation5XXErrors", label="requests", stat="SampleCount")
    return _graph("Requests", metrics, stat="Sum", yAxis=_from_zero("requests"))


def _latency(page: Page) -> Widget:
    metrics: list[Line] = []
    for number, variant in enumerate(_variants(page)):
        end, of = (f"{number}", f" ({variant})") if number else ("", "")
        colours = ({"color": BLUE}, {"color": PURPLE}) if not number else ({}, {})
        one = _endpoint(page, "AWS/SageMaker", "ModelLatency", id=f"p50{end}", stat="p50", visible=False)
        many = _endpoint(page, "AWS/SageMaker", "ModelLatency", id=f"p99{end}", stat="p99", visible=False)
        metrics += [one[number], many[number]]
        metrics.append([{"expression": f"p50{end} / 1000", "id": f"e1{end}", "label": f"one in two{of}", **colours[0]}])
        slow = {"expression": f"p99{end} / 1000", "id": f"e2{end}", "label": f"slowest in a hundred{of}", **colours[1]}
        metrics.append([slow])
    limit = {"label": "alarm", "value": page.levels.endpoint_latency_ms, "color": RED}
    return _graph("Milliseconds in the model", metrics, yAxis=_from_zero("ms"), annotations={"horizontal": [limit]})


def _instances(page: Page) -> Widget:
    shown = {"MemoryUtilization": ("memory", BLUE), "DiskUtilization": ("disk", GREEN)}
    return _used(page, "Instances: percent used", shown)


def _concurrency(page: Page) -> Widget:
    """A serverless endpoint: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html."""
    made = _used(page, "Percent used", {"MemoryUtilization": ("memory", BLUE)})
    name = "ServerlessConcurrentExecutionsUtilization"
    hidden = _endpoint(page, "AWS/SageMaker", name, id="share", visible=False)
    percent = {"expression": "share * 100", "id": "e1", "label": "requests at once", "color": PURPLE}
    made["properties"]["metrics"] += [*hidden, [percent]]
    return made


def _queue(page: Page) -> Widget:
    """An asynchronous endpoint: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html."""
    shown = {
        "ApproximateBacklogSize": ("waiting", BLUE),
        "ApproximateBacklogSizePerInstance": ("for each machine", GREY),
    }
    metrics: list[Line] = [
        ["AWS/SageMaker", name, "EndpointName", page.names.prefix, {"label": label, "color": colour}]
        for name, (label, colour) in shown.items()
    ]
    return _graph("Requests that wait", metrics, stat="Maximum", yAxis=_from_zero("requests"))


def _used(page: Page, title: str, shown: Mapping[str, tuple[str, str]]) -> Widget:
    metrics = [
        line
        for name, (label, colour) in shown.items()
        for line in _endpoint(page, "/aws/sagemaker/Endpoints", name, label=label, color=colour)
    ]
    limit = {"label": "alarm", "value": FULL_PERCENT, "color": RED}
    axis = {"left": {"min": 0, "max": 100, "label": "%", "showUnits": False}}
    return _graph(title, metrics, stat="Maximum", yAxis=axis, annotations={"horizontal": [limit]})


def _variants(page: Page) -> Sequence[str]:
    return page.variants or (VARIANT,)


def _endpoint(page: Page, namespace: str, metric: str, **rendering: Any) -> list[Line]:
    """A line for each variant; the first one's as it is described, the others' in colours that CloudWatch chooses."""
    lines: list[Line] = []
    for number, variant in enumerate(_variants(page)):
        shown = dict(rendering)
        if number:
            shown.pop("color", None)
            shown |= {"label": f"{rendering['label']} ({variant})"} if "label" in rendering else {}
        lines.append([namespace, metric, "EndpointName", page.names.prefix, "VariantName", variant, shown])
    return lines


def _from_zero(label: str) -> dict[str, Any]:
    return {"left": {"min": 0, "label": label, "showUnits": False}}


def _graph(title: str, metrics: Sequence[Line], **more: Any) -> Widget:
    properties = {"title": title, "region": Aws.REGION, "view": "timeSeries", "metrics": list(metrics), **more}
    return {"type": "metric", "height": 6, "properties": properties}
