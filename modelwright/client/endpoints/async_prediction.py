"""Ask an asynchronous endpoint: the request goes to S3, and so does the answer.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-invoke-endpoint.html
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from modelwright.client.endpoints.prediction import explained
from modelwright.client.releases.uploads import exists
from modelwright.errors import PredictionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.client.deployment import Deployment
    from modelwright.client.endpoints.prediction import Question
    from modelwright.client.session import Session

LONGEST_SECONDS = 3600
"""Of one request, which SageMaker gives up after 15 minutes otherwise.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
"""
_ENDINGS = {"text/csv": ".csv", "application/json": ".json", "application/x-npy": ".npy"}


def ask_later(
    session: Session,
    deployment: Deployment,
    question: Question,
    waiting: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes:
    """The model's answer, waited for as long as it takes; `waiting` is told where it will be.

    Raises:
        PredictionFailed: there is no such endpoint, or the request failed: with the model's own words.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    place = _upload(session, deployment, question)
    request = {"ContentType": question.content_type, "Accept": question.accept, "InputLocation": place}
    client = session.client("sagemaker-runtime")
    try:
        taken = client.invoke_endpoint_async(
            EndpointName=deployment.endpoint_name, InvocationTimeoutSeconds=LONGEST_SECONDS, **request
        )
    except ClientError as error:
        raise explained(error, deployment, session.options) from None
    waiting(taken["OutputLocation"])
    while True:
        answer = _answer(session, taken, place)
        if answer is not None:
            return answer
        sleep(session.poll_seconds)


def _answer(session: Session, taken: dict[str, Any], request: str) -> bytes | None:
    """The answer, if it is there; PredictionFailed once there will be none."""
    answer = _read(session, taken["OutputLocation"])
    failure = _read(session, taken["FailureLocation"]) if answer is None and "FailureLocation" in taken else None
    if failure is not None:
        raise PredictionFailed(
            f"The request failed: {failure.decode('utf-8', 'replace').strip()}",
            f"It is kept in {taken['FailureLocation']}; the request was {request}.",
        )
    return answer


def _upload(session: Session, deployment: Deployment, question: Question) -> str:
    key = f"async/{deployment.pipeline}/input/{uuid.uuid4()}{_ENDINGS.get(question.content_type, '')}"
    session.client("s3").put_object(
        Bucket=deployment.artifact_bucket, Key=key, Body=question.body, ContentType=question.content_type
    )
    return f"s3://{deployment.artifact_bucket}/{key}"


def _read(session: Session, location: str) -> bytes | None:
    """An object's bytes; None as long as there is none, which a listing tells whoever may list its folder only."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    client: Any = session.client("s3")
    if not exists(client, bucket, key):
        return None
    return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
