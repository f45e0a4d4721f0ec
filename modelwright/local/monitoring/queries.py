"""What was recorded, asked for: ListMetrics, GetMetricStatistics, GetMetricData.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

from .metrics import Metric, dimensions_of

if TYPE_CHECKING:
    from .metrics import Metrics


def list_metrics(metrics: Metrics, params: dict[str, Any]) -> dict[str, Any]:
    """Answer ListMetrics: those that match, each set of dimensions a metric of its own."""
    wanted = {(entry["Name"], entry.get("Value")) for entry in params.get("Dimensions", [])}
    found = [
        metric
        for metric in metrics.all()
        if params.get("Namespace") in {None, metric.namespace}
        and params.get("MetricName") in {None, metric.name}
        and all(any(name == key and value in {None, item} for key, item in metric.dimensions) for name, value in wanted)
    ]
    return {
        "Metrics": [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in metric.dimensions],
            }
            for metric in found
        ]
    }


def get_statistics(metrics: Metrics, params: dict[str, Any]) -> dict[str, Any]:
    """Answer GetMetricStatistics."""
    metric = Metric.of(params["Namespace"], params["MetricName"], dimensions_of(params.get("Dimensions")))
    start, end = epoch(params["StartTime"]), epoch(params["EndTime"])
    points: dict[float, dict[str, Any]] = {}
    for statistic in [*params.get("Statistics", []), *params.get("ExtendedStatistics", [])]:
        for begin, value in metrics.series(metric, statistic, params["Period"], start, end).items():
            point = points.setdefault(begin, {"Timestamp": datetime.fromtimestamp(begin, UTC)})
            if statistic in params.get("Statistics", []):
                point[statistic] = value
            else:
                point.setdefault("ExtendedStatistics", {})[statistic] = value
    return {"Label": params["MetricName"], "Datapoints": list(points.values())}


def get_data(metrics: Metrics, params: dict[str, Any]) -> dict[str, Any]:
    """Answer GetMetricData, queries of metrics only."""
    start, end, results = epoch(params["StartTime"]), epoch(params["EndTime"]), []
    for query in params["MetricDataQueries"]:
        if "MetricStat" not in query:
            raise AwsError(
                "ValidationError",
                "The local cloud answers GetMetricData for MetricStat queries, not for expressions.",
            )
        stat, source = query["MetricStat"], query["MetricStat"]["Metric"]
        metric = Metric.of(source["Namespace"], source["MetricName"], dimensions_of(source.get("Dimensions")))
        series = metrics.series(metric, stat["Stat"], stat["Period"], start, end)
        begins = sorted(series, reverse=params.get("ScanBy", "TimestampDescending") == "TimestampDescending")
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", metric.name),
                "StatusCode": "Complete",
                "Timestamps": [datetime.fromtimestamp(begin, UTC) for begin in begins],
                "Values": [series[begin] for begin in begins],
            }
        )
    return {"MetricDataResults": results}


def epoch(moment: datetime | float) -> float:
    """A request's time as epoch seconds; one without a zone is UTC."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)
