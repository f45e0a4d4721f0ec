"""One page that says whether a pipeline is healthy: its runs, its model over time, its endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch

from modelwright.workflow.states_model import VARIANT
from stacks.grants.functions import METRIC_NAMESPACE

if TYPE_CHECKING:
    from constructs import Construct

    from stacks.names import PipelineNames

_WIDTH = 12
_HEIGHT = 6
Line = list[Any]


def dashboard(scope: Construct, names: PipelineNames, state_machine_arn: str, *, has_endpoint: bool) -> None:
    """Make the dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html."""
    graphs = [
        (
            "Runs",
            "Sum",
            _executions(state_machine_arn, "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut"),
        ),
        ("Time of a run", "p90", _executions(state_machine_arn, "ExecutionTime")),
        ("Quality of the model", "Average", [_quality(names)]),
    ]
    if has_endpoint:
        requests = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")
        graphs.append(("Requests", "Sum", _endpoint(names.prefix, *requests)))
        graphs.append(
            ("Time of a request (microseconds)", "p99", _endpoint(names.prefix, "ModelLatency", "OverheadLatency"))
        )
    widgets = [_widget(number, *graph) for number, graph in enumerate(graphs)]
    cloudwatch.CfnDashboard(scope, names.construct("Dashboard"), dashboard_body=json.dumps({"widgets": widgets}))


def _executions(state_machine_arn: str, *metrics: str) -> list[Line]:
    return [["AWS/States", metric, "StateMachineArn", state_machine_arn] for metric in metrics]


def _endpoint(endpoint: str, *metrics: str) -> list[Line]:
    dimensions = ["EndpointName", endpoint, "VariantName", VARIANT]
    return [["AWS/SageMaker", metric, *dimensions] for metric in metrics]


def _quality(names: PipelineNames) -> Line:
    """Whatever the evaluation measures: the names are the user's."""
    schema = f"{{{METRIC_NAMESPACE},Environment,Pipeline}}"
    search = f"SEARCH('{schema} Environment=\"{names.environment}\" Pipeline=\"{names.pipeline}\"', 'Average', 3600)"
    return [{"expression": search, "id": "quality"}]


def _widget(number: int, title: str, stat: str, metrics: list[Line]) -> dict[str, Any]:
    properties = {
        "title": title,
        "region": Aws.REGION,
        "stat": stat,
        "period": 300,
        "view": "timeSeries",
        "metrics": metrics,
    }
    return {
        "type": "metric",
        "x": (number % 2) * _WIDTH,
        "y": (number // 2) * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": properties,
    }
