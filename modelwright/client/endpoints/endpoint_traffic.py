"""What a sender asks an endpoint, and what the endpoint's own metrics say of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.endpoints.traffic import LAST_ANSWERS_SECONDS, MOST_AT_ONCE, Outcome, Sender

if TYPE_CHECKING:
    from datetime import datetime

    from modelwright.client.session import Session

_SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})
_NAMESPACE = "AWS/SageMaker"
_ERRORS = ("Invocation4XXErrors", "Invocation5XXErrors")


@dataclass(frozen=True)
class Sample:
    """The request that is sent again and again."""

    body: bytes
    content_type: str
    accept: str = "application/json"


@dataclass(frozen=True)
class Served:
    """What one configuration of the endpoint answered."""

    config: str
    requests: int
    errors: int


def sender(session: Session, endpoint: str, sample: Sample, rate: float) -> Sender:
    """Make a sender of this request to this endpoint; no request of it is sent twice."""
    client = session.client_without_retries("sagemaker-runtime", MOST_AT_ONCE, LAST_ANSWERS_SECONDS)
    return Sender(lambda: _ask(client, endpoint, sample), lambda: _is_there(session, endpoint), rate)


def by_configuration(session: Session, endpoint: str, since: datetime, until: datetime) -> list[Served]:
    """What each of the endpoint's configurations answered, from its metrics; the busiest first."""
    client = session.client("cloudwatch")
    wanted = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "EndpointConfigName"}]
    listed = client.list_metrics(Namespace=_NAMESPACE, MetricName="Invocations", Dimensions=wanted)["Metrics"]
    when = _all_at_once(since, until)
    found: dict[str, Served] = {}
    for metric in listed:
        config = next(each["Value"] for each in metric["Dimensions"] if each["Name"] == "EndpointConfigName")
        before = found.get(config, Served(config, 0, 0))
        requests = before.requests + _total(client, metric["Dimensions"], when, "Invocations")
        errors = before.errors + _total(client, metric["Dimensions"], when, *_ERRORS)
        found[config] = Served(config, requests, errors)
    return sorted((each for each in found.values() if each.requests), key=lambda each: -each.requests)


def _all_at_once(since: datetime, until: datetime) -> dict[str, Any]:
    """That time as one period: whole minutes, and one more."""
    period = max(60, 60 * (1 + int((until - since).total_seconds() // 60)))
    return {"StartTime": since, "EndTime": until, "Period": period}


def _total(client: Any, dimensions: list[dict[str, str]], when: dict[str, Any], *names: str) -> int:
    """The sum of these metrics."""
    asked = {"Namespace": _NAMESPACE, "Dimensions": dimensions, "Statistics": ["Sum"], **when}
    answers = (client.get_metric_statistics(MetricName=name, **asked) for name in names)
    return round(sum(float(point["Sum"]) for answer in answers for point in answer["Datapoints"]))


def _ask(client: Any, endpoint: str, sample: Sample) -> Outcome:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    try:
        answer = client.invoke_endpoint(
            EndpointName=endpoint, Body=sample.body, ContentType=sample.content_type, Accept=sample.accept
        )
        answer["Body"].read()
    except ClientError as error:
        return _refusal(error.response)
    return Outcome("answered", answer.get("InvokedProductionVariant", ""))


def _refusal(response: dict[str, Any]) -> Outcome:
    code = str(response.get("Error", {}).get("Code"))
    if code == "ModelError" and response.get("OriginalStatusCode"):
        return Outcome("error", what=f"the model's {response['OriginalStatusCode']}")
    message = str(response.get("Error", {}).get("Message", ""))
    return Outcome("error" if code == "ThrottlingException" else "lost", what=f"{code}: {message[:200]}")


def _is_there(session: Session, endpoint: str) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    from modelwright.client.problems import is_missing  # noqa: PLC0415 # as above

    try:
        found = session.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return str(found["EndpointStatus"]) in _SERVING
