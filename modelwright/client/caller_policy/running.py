"""What who works with runs needs: whoever starts and follows them, and whoever brings the data that starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.caller_policy.statements import (
    PUBLISHED,
    Statement,
    allow,
    encrypt,
    find_stacks,
    items,
    job_log,
    list_objects,
    machines,
    read_items,
    table,
)

if TYPE_CHECKING:
    from modelwright.client.caller_policy.place import Place


def run_policy(place: Place) -> list[Statement]:
    """For `run`, `runs`, `show`, `logs`, `predict`, `release`, `emit`, `status` and `dashboard` with `--aws`."""
    bus = place.arn("events", f"event-bus/mw-{place.environment}")
    asking = ("sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint")
    return [
        find_stacks(place, "cloudformation:DescribeStackResources"),
        *_executions(place),
        *_publish(place),
        allow("FindLogsOfFunctions", ["lambda:GetFunctionConfiguration"], place.each("lambda", "function:{name}-*")),
        allow("ReadLogs", ["logs:FilterLogEvents"], _log_groups(place)),
        allow("Predict", asking, place.each("sagemaker", "endpoint/{name}")),
        allow("AnnounceMerges", ["events:PutEvents"], [bus]),
        *_dashboard(place),
    ]


def produce_policy(place: Place) -> list[Statement]:
    """For `emit data PIPELINE --aws`, beside the policy of who runs: what a producer needs is its first statement."""
    own = [f"{place.bucket('data')}/incoming/{pipeline}/*" for pipeline in place.pipelines]
    return [
        allow("BringData", ["s3:PutObject"], own),
        *encrypt(place),
        allow("SeeWhatWaits", ["dynamodb:GetItem"], [table(place)], items(place, ("RECORDS#{pipeline}",))),
        *read_items(place),
    ]


def _executions(place: Place) -> list[Statement]:
    following = ("states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution")
    return [
        allow("StartAndListRuns", ["states:ListExecutions", "states:StartExecution"], machines(place)),
        allow("FollowAndStopRuns", following, place.each("states", "execution:{name}:*")),
    ]


def _publish(place: Place) -> list[Statement]:
    objects = place.objects(PUBLISHED)
    prefixes = sorted(name.removeprefix(f"{place.artifacts}/") for name in objects)
    return [
        allow("Publish", ["s3:PutObject"], objects),
        list_objects("SeeWhatIsPublished", place.artifacts, prefixes),
        *encrypt(place),
    ]


def _log_groups(place: Place) -> list[str]:
    jobs = [job_log(place, kind) for kind in ("Processing", "Training")]
    endpoints = place.each("logs", "log-group:/aws/sagemaker/Endpoints/{name}:*")
    return [*jobs, *endpoints, *place.each("logs", "log-group:{name}-*")]


def _dashboard(place: Place) -> list[Statement]:
    """A dashboard is no region's, and CloudFormation makes up its whole name; metrics are no resources.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    dashboards = f"arn:{place.partition}:cloudwatch::{place.account}:dashboard/*"
    return [
        allow("ReadTheDashboard", ["cloudwatch:GetDashboard"], [dashboards]),
        allow("SeeAlarms", ["cloudwatch:DescribeAlarms"], place.each("cloudwatch", "alarm:{name}-*")),
        allow("ReadMetrics", ["cloudwatch:GetMetricData"], ["*"]),
    ]
