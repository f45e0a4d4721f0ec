"""What was recorded, asked for: ListMetrics, GetMetricStatistics, GetMetricData.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

from .expressions import evaluate
from .metrics import Metric, dimensions_of
from .search import parse_search

if TYPE_CHECKING:
    from .expressions import Series
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
    """Answer GetMetricData: metrics, metric math over them, and a SEARCH by itself."""
    start, end = epoch(params["StartTime"]), epoch(params["EndTime"])
    newest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    named: dict[str, Series] = {}
    results = []
    for query in sorted(params["MetricDataQueries"], key=lambda each: "Expression" in each):
        for label, series in _answers(metrics, query, named, start, end):
            named[query["Id"]] = series
            if query.get("ReturnData", True):
                results.append(_result(query["Id"], query.get("Label") or label, series, newest_first=newest_first))
    return {"MetricDataResults": results}


def _answers(
    metrics: Metrics, query: dict[str, Any], named: dict[str, Series], start: float, end: float
) -> list[tuple[str, Series]]:
    if "MetricStat" in query:
        stat, source = query["MetricStat"], query["MetricStat"]["Metric"]
        metric = Metric.of(source["Namespace"], source["MetricName"], dimensions_of(source.get("Dimensions")))
        return [(metric.name, metrics.series(metric, stat["Stat"], stat["Period"], start, end))]
    expression = query["Expression"]
    try:
        if expression.startswith("SEARCH("):
            wanted = parse_search(expression)
            found = sorted(filter(wanted.takes, metrics.all()), key=lambda metric: metric.name)
            period = query.get("Period") or wanted.period
            return [(each.name, metrics.series(each, wanted.statistic, period, start, end)) for each in found]
        return [(expression, evaluate(expression, named))]
    except (ValueError, KeyError) as error:
        raise AwsError("ValidationError", f"{query['Id']}: {error}") from None


def _result(identity: str, label: str, series: Series, *, newest_first: bool) -> dict[str, Any]:
    begins = sorted(series, reverse=newest_first)
    return {
        "Id": identity,
        "Label": label,
        "StatusCode": "Complete",
        "Timestamps": [datetime.fromtimestamp(begin, UTC) for begin in begins],
        "Values": [series[begin] for begin in begins],
    }


def epoch(moment: datetime | float) -> float:
    """A request's time as epoch seconds; one without a zone is UTC."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)
