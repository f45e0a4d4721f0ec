"""What somebody has to hear of about an endpoint, and what sends an update of it back.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html

Per request SageMaker sends 1 or 0 of each kind of error, so a minute without data is one without requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.workflow.states_model import VARIANT
from stacks.constructs.alarms import MICROSECONDS_PER_MS, MINUTE_SECONDS, Alarms, Level, Metric, Says, command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_cloudwatch as cloudwatch

    from modelwright.config.environment import AlarmSettings
    from modelwright.config.structure import PipelineStructure
    from stacks.names import PipelineNames

INVOCATIONS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
QUIET_REQUESTS = 20
"""Counted as answered well in every minute: one error on a quiet endpoint, such as a failed smoke test, is no alarm
and does not roll the next update back."""
FULL_PERCENT = 90
MANY = 1_000_000_000
"""Times the least percent of memory that an instance uses, more requests than an endpoint can have in five minutes."""
MOST_SUMMED = 5
"""variants, whose errors and requests are ten metrics, as many as an alarm takes"""
OLDEST_SECONDS = 3600
"""A request that waits for longer is about machines that do not come, or answers that do not go."""
BUSY_SHARE = 0.9


@dataclass(frozen=True)
class EndpointAlarms:
    """The two that also roll an update of the endpoint back."""

    errors: cloudwatch.CfnAlarm
    latency: cloudwatch.CfnAlarm


@dataclass(frozen=True)
class Watch:
    """What is watched: the endpoint's name, its kind, and the variants that have metrics."""

    names: PipelineNames
    levels: AlarmSettings
    kind: str
    variants: tuple[str, ...]

    def metrics(self, namespace: str, name: str, statistic: str | None = None) -> list[Metric]:
        """Return the metric `name` of each variant."""
        return [
            Metric(namespace, name, {"EndpointName": self.names.prefix, "VariantName": variant}, statistic)
            for variant in self.variants
        ]

    def of_queue(self, name: str) -> Metric:
        """Return a metric of the whole endpoint's queue.

        https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
        """
        return Metric(INVOCATIONS, name, {"EndpointName": self.names.prefix})


def endpoint_alarms(
    alarms: Alarms, names: PipelineNames, levels: AlarmSettings, structure: PipelineStructure
) -> EndpointAlarms:
    """Make the alarms of the endpoint: a model that answers badly, slowly or not at all, and callers that ask wrongly.

    Errors and latency roll an update back. They watch what all the endpoint's machines answer, those before the update
    too, so the state machine leaves out one that is on already. (Metrics of the new machines alone have the name of the
    endpoint's configuration, which is another one each run.)
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    watch = Watch(names, levels, structure.endpoint, structure.variants or (VARIANT,))
    made = EndpointAlarms(_errors(alarms, watch), _latency(alarms, watch))
    _refusals(alarms, watch)
    if watch.kind in {"realtime", "multi-model"}:  # the others may have none on purpose
        _without_instances(alarms, watch)
    _full(alarms, watch)
    if watch.kind == "serverless":
        _busy(alarms, watch)
    if watch.kind == "async":
        _waiting(alarms, watch)
        _lost(alarms, watch)
    return made


def _errors(alarms: Alarms, watch: Watch) -> cloudwatch.CfnAlarm:
    """Two bad minutes of three: the newest minute's data may be incomplete, and one bad minute is no bad model."""
    names, levels = watch.names, watch.levels
    says = Says(
        f"More than {levels.endpoint_error_percent:g} % of the answers of {names.prefix} are errors of the model "
        "(5xx).",
        f"read the model's log, /aws/sagemaker/Endpoints/{names.prefix} in CloudWatch Logs. {_back(names)}",
    )
    level = Level("Sum", levels.endpoint_error_percent, MINUTE_SECONDS, periods=3, needed=2)
    return _share(alarms, "EndpointErrorsAlarm", says, watch, metric="Invocation5XXErrors", level=level)


def _refusals(alarms: Alarms, watch: Watch) -> None:
    """Rolls nothing back: what callers send is not the model's fault, and a new caller would block every update."""
    names, levels = watch.names, watch.levels
    says = Says(
        f"More than {levels.endpoint_4xx_percent:g} % of the answers of {names.prefix} say that the request is wrong "
        "(4xx).",
        f"find the caller; /aws/sagemaker/Endpoints/{names.prefix} in CloudWatch Logs says what is wrong. After a new "
        f"release: does inference.py still take what callers send? Try it: "
        f"{command(names.environment, f'predict {names.pipeline} --file ROWS.csv')}.",
    )
    level = Level("Sum", levels.endpoint_4xx_percent)
    _share(alarms, "EndpointWrongRequestsAlarm", says, watch, metric="Invocation4XXErrors", level=level)


def _share(  # noqa: PLR0913 - an alarm, and what it is a share of
    alarms: Alarms, id_: str, says: Says, watch: Watch, *, metric: str, level: Level
) -> cloudwatch.CfnAlarm:
    """Of all variants together: they serve the same model. Of more than five, the worst one's share of its own."""
    if len(watch.variants) > MOST_SUMMED:
        each = _named("errors", watch.metrics(INVOCATIONS, metric, "Average"))
        return alarms.on_expression(id_, says, f"100 * MAX([{', '.join(each)}])", each, level)
    # An asynchronous endpoint has no Invocations, but sends 1 or 0 for each request, too.
    counted = (metric, "SampleCount") if watch.kind == "async" else ("Invocations", None)
    errors, requests = (
        _named("errors", watch.metrics(INVOCATIONS, metric)),
        _named("requests", watch.metrics(INVOCATIONS, *counted)),
    )
    quiet = QUIET_REQUESTS * level.period_seconds // MINUTE_SECONDS
    share = f"100 * {_sum(errors)} / ({' + '.join(requests)} + {quiet})"
    return alarms.on_expression(id_, says, share, {**errors, **requests}, level)


def _latency(alarms: Alarms, watch: Watch) -> cloudwatch.CfnAlarm:
    """Microseconds. A model's first request may be slow, so it takes two minutes of three.

    With less than 1000 requests a minute this is about the slowest one. CloudWatch could leave such minutes out
    (EvaluateLowSampleCountPercentile), but then a quiet endpoint would have no such alarm at all.
    """
    names, levels = watch.names, watch.levels
    larger = "raise deploy.serverless.memory_gib: processors come with it. "
    if watch.kind != "serverless":
        larger = "with more requests, raise deploy.instance_count or take a larger deploy.instance. "
    says = Says(
        f"One answer of {names.prefix} in a hundred takes more than {levels.endpoint_latency_ms} ms in the model.",
        f"see on the dashboard since when: {larger}{_back(names)}",
    )
    threshold = levels.endpoint_latency_ms * MICROSECONDS_PER_MS
    level = Level("p99", threshold, MINUTE_SECONDS, periods=3, needed=2)
    each = watch.metrics(INVOCATIONS, "ModelLatency")
    if len(each) == 1:
        return alarms.on("EndpointLatencyAlarm", says, each[0], level)
    named = _named("latency", each)
    return alarms.on_expression("EndpointLatencyAlarm", says, f"MAX([{', '.join(named)}])", named, level)


def _without_instances(alarms: Alarms, watch: Watch) -> None:
    """Requests come, and no instance says that it is there.

    Each instance reports its use of memory every minute, so no report is no instance. SageMaker has a metric of its
    own, NoCapacityInvocationFailures, for endpoints of inference components only, which may have none on purpose:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
    In metric math a missing value is 0 where another one has a value, so this is over 0 only without instances.
    """
    names = watch.names
    says = Says(
        f"{names.prefix} gets requests, and no instance of it is running.",
        f"see what the endpoint is with {command(names.environment, 'status')}; {_run(names)} makes it again.",
    )
    few = watch.variants[:MOST_SUMMED]
    requests = _named("requests", watch.metrics(INVOCATIONS, "Invocations")[: len(few)])
    memory = _named("memory", watch.metrics(INSTANCES, "MemoryUtilization")[: len(few)])
    expression = f"{' + '.join(requests)} - {MANY} * {_sum(memory)}"
    alarms.on_expression("EndpointWithoutInstanceAlarm", says, expression, {**requests, **memory})


def _full(alarms: Alarms, watch: Watch) -> None:
    """Before it stands still: memory that leaks, a disk that fills. For a quarter of an hour: loading a model is none.

    Not CPU: where it matters, the latency's alarm tells, and its scale differs with the number of cores.
    """
    names, serverless = watch.names, watch.kind == "serverless"
    what = "memory" if serverless else "memory or of its disk"
    larger = "deploy.serverless.memory_gib" if serverless else "deploy.instance"
    says = Says(
        f"An instance of {names.prefix} has used more than {FULL_PERCENT} % of its {what}.",
        f"see which on the dashboard; does inference.py keep what it need not? Else choose a larger {larger}, "
        f"then {_run(names)}.",
    )
    level = Level("Maximum", FULL_PERCENT, periods=3)
    if serverless:
        alarms.on("EndpointNearlyFullAlarm", says, watch.metrics(INSTANCES, "MemoryUtilization")[0], level)
        return
    memory = _named("memory", watch.metrics(INSTANCES, "MemoryUtilization")[:MOST_SUMMED])
    disk = _named("disk", watch.metrics(INSTANCES, "DiskUtilization")[:MOST_SUMMED])
    both = {**memory, **disk}
    expression = "IF(memory > disk, memory, disk)" if len(both) == 2 else f"MAX([{', '.join(both)}])"
    alarms.on_expression("EndpointNearlyFullAlarm", says, expression, both, level)


def _busy(alarms: Alarms, watch: Watch) -> None:
    """Beyond its concurrency a serverless endpoint refuses requests.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html
    """
    names = watch.names
    says = Says(
        f"{names.prefix} answers nearly as many requests at once as it may ({BUSY_SHARE:.0%}); more are refused.",
        f"raise deploy.serverless.max_concurrency (at most 200), then {_run(names)}.",
    )
    metric = watch.metrics(INVOCATIONS, "ServerlessConcurrentExecutionsUtilization")[0]
    alarms.on("EndpointBusyAlarm", says, metric, Level("Maximum", BUSY_SHARE, periods=3))


def _waiting(alarms: Alarms, watch: Watch) -> None:
    """A queue that nobody works off, also one whose first machine does not come."""
    names = watch.names
    says = Says(
        f"A request has waited for an answer of {names.prefix} for more than {OLDEST_SECONDS // 60} minutes.",
        f"see what the endpoint is with {command(names.environment, 'status')}; with more requests, raise "
        f"deploy.autoscaling.max or deploy.instance_count, then {_run(names)}.",
    )
    level = Level("Maximum", OLDEST_SECONDS)
    alarms.on("EndpointQueueAlarm", says, watch.of_queue("ApproximateAgeOfOldestRequest"), level)


def _lost(alarms: Alarms, watch: Watch) -> None:
    """What is no model's fault: rights, buckets, topics."""
    names = watch.names
    says = Says(
        f"{names.prefix} could not read a request from S3, lay an answer there or tell that it is there.",
        f"read /aws/sagemaker/Endpoints/{names.prefix} (…/data-log) in CloudWatch Logs: is the request in "
        f"async/{names.pipeline}/input/ of the artifact bucket?",
    )
    failures = ("RequestDownloadFailures", "ResponseUploadFailures", "NotificationFailures")
    alarms.on_sum("EndpointAnswerLostAlarm", says, [watch.metrics(INVOCATIONS, name)[0] for name in failures])


def _named(word: str, metrics: list[Metric]) -> dict[str, Metric]:
    """Names for an expression: the word, with a number where there are several."""
    if len(metrics) == 1:
        return {word: metrics[0]}
    return {f"{word}{number}": metric for number, metric in enumerate(metrics, start=1)}


def _sum(names: Iterable[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"({' + '.join(found)})"


def _run(names: PipelineNames) -> str:
    return command(names.environment, f"run {names.pipeline}")


def _back(names: PipelineNames) -> str:
    return (
        f"If a new release is the cause, check out the one before and use {_run(names)}: "
        "an alarm that is on already rolls no update back."
    )
