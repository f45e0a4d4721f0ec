"""What somebody has to hear of about a pipeline's REST API.

API Gateway counts a throttled request as one of the 4xx; it has no metric of throttling alone.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.constructs.alarms import MINUTE_SECONDS, Alarms, Level, Metric, Says, command
from stacks.constructs.endpoint_alarms import QUIET_REQUESTS
from stacks.constructs.rest_api import STAGE

if TYPE_CHECKING:
    from modelwright.config.environment import AlarmSettings
    from stacks.names import PipelineNames


def api_alarms(alarms: Alarms, names: PipelineNames, levels: AlarmSettings) -> None:
    """Make the alarms of answers that are no predictions: the API's fault, and its callers'."""
    status, page = command(names.environment, "status"), command(names.environment, f"open {names.pipeline}")
    failed = Says(
        f"More than {levels.endpoint_error_percent:g} % of what the API of {names.pipeline} answers are errors (5xx).",
        "each answer's body says why; so does the log of the function serve_api. "
        f"Does the model serve? {status}. Does it answer? {page}.",
    )
    _share(alarms, "ApiErrorsAlarm", failed, names, Level("Sum", levels.endpoint_error_percent), metric="5XXError")
    refused = Says(
        f"More than {levels.endpoint_4xx_percent:g} % of the requests to the API of {names.pipeline} were refused "
        "(4xx): wrong rows, no authorization, or more requests than deploy.api allows.",
        "find who asks and the status in the access log of the API; 429 is too many requests: raise "
        "deploy.api.requests_per_second or requests_per_day, then deploy; 403 is a missing key, signature or grant.",
    )
    _share(alarms, "ApiRefusalsAlarm", refused, names, Level("Sum", levels.endpoint_4xx_percent), metric="4XXError")


def _share(alarms: Alarms, id_: str, says: Says, names: PipelineNames, level: Level, *, metric: str) -> None:  # noqa: PLR0913 - an alarm, and what it is a share of
    """As many good answers are added as make one error on a quiet API no alarm."""
    named = {"errors": _metric(names, metric), "requests": _metric(names, "Count")}
    quiet = QUIET_REQUESTS * level.period_seconds // MINUTE_SECONDS
    alarms.on_expression(id_, says, f"100 * errors / (requests + {quiet})", named, level)


def _metric(names: PipelineNames, name: str) -> Metric:
    return Metric("AWS/ApiGateway", name, {"ApiName": names.prefix, "Stage": STAGE})
