"""From API Gateway's event to rows, and from what SageMaker says to an answer. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from serve_api.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serve_api.schema import Schema

JSON_TYPE = "application/json"
MOST_ANSWER_BYTES = 6_000_000
"""Of 6 MB, which is all of the function's answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MOST_BODY_BYTES = 6_291_456
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html (Body)"""
_ENVELOPE = 'The body must be a JSON object with a list of rows: {"instances": [{"<column>": <value>, …}, …]}.'
_UNAVAILABLE = frozenset(
    {"ThrottlingException", "ServiceUnavailable", "ModelNotReadyException", "InternalDependencyException"}
    | {"InternalFailure", "InternalServerException", "ServiceUnavailableException"}
)
_ABSENT = frozenset({"ValidationError", "ValidationException"})


def media_type(event: Mapping[str, Any]) -> str:
    """`application/json` of `application/json; charset=utf-8`; API Gateway takes a missing one for that, too."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return str(headers.get("content-type") or JSON_TYPE).partition(";")[0].strip().lower()


def base_url(event: Mapping[str, Any]) -> str:
    """The API's own address up to its stage, as its caller wrote it."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    context = event["requestContext"]
    path = str(context["path"]).removesuffix(str(event["resource"]))
    return f"{headers.get('x-forwarded-proto', 'https')}://{context['domainName']}{path}"


def rows_of(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows in the request; `Refusal` for whatever is no list of rows."""
    kind = media_type(event)
    if kind != JSON_TYPE:
        raise Refusal(415, "UnsupportedMediaType", f"The content type is {kind!r}; this API takes {JSON_TYPE}.")
    content = _content(event)
    if not content.strip():
        raise Refusal(400, "EmptyBody", f"The body is empty. {_ENVELOPE}")
    return _instances(_parsed(content))


def _content(event: Mapping[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise Refusal(400, "InvalidRequestBody", f"The body is not base64: {error}. {_ENVELOPE}") from None


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        raise Refusal(400, "InvalidJson", "The body is JSON that is nested too deeply.") from None
    except ValueError as error:
        raise Refusal(400, "InvalidJson", f"The body is not JSON: {error}. {_ENVELOPE}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON; leave a missing value out, or write null")


def _refuse_answer(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _instances(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, dict) or not isinstance(found.get("instances"), list):
        raise Refusal(400, "InvalidRequestBody", _ENVELOPE)
    rows: list[Any] = found["instances"]
    more = sorted(set(found) - {"instances"})
    if more:
        raise Refusal(400, "InvalidRequestBody", f"The body has {', '.join(more)} beside instances. {_ENVELOPE}")
    if not rows:
        raise Refusal(400, "InvalidRequestBody", f"There are no rows in instances. {_ENVELOPE}")
    wrong = [number for number, row in enumerate(rows, 1) if not isinstance(row, dict)]
    if wrong:
        raise Refusal(400, "InvalidRequestBody", f"Row {wrong[0]} of instances is no object. {_ENVELOPE}")
    return rows


def checked(rows: Sequence[dict[str, Any]], schema: Schema | None, *, after_hook: bool) -> list[dict[str, Any]]:
    """Return the rows as the model gets them; `Refusal` with everything that it cannot take."""
    if schema is None:
        return list(rows)
    problems = schema.check(rows)
    if problems:
        after = " after its preprocessing" if after_hook else ""
        count = f"{len(problems)} values are" if len(problems) > 1 else "1 value is"
        raise Refusal(400, "InvalidRows", f"{count} not what the model takes{after}: {problems[0]}.", problems)
    return [schema.whole(row) for row in rows]


def model_request(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the body of InvokeEndpoint; `Refusal` for one that it does not take."""
    try:
        body = json.dumps({"instances": rows}, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise Refusal(400, "InvalidJson", "A text holds half a character (a lone surrogate).") from None
    except RecursionError:
        raise Refusal(400, "InvalidJson", "The rows are nested too deeply.") from None
    except (ValueError, TypeError) as error:  # only a hook can make such rows
        raise Refusal(500, "HookFailed", f"The hook made rows that are no JSON: {error}.") from None
    if len(body) > MOST_BODY_BYTES:
        message = f"The rows have {len(body)} bytes; an endpoint takes {MOST_BODY_BYTES} in a request. Send fewer rows."
        raise Refusal(413, "RequestTooLarge", message)
    return body


def answer_of(body: bytes, rows: int) -> dict[str, Any]:
    """Return `{"predictions": …}` from what the model answered, one for each row where that can be counted."""
    try:
        found = json.loads(body, parse_constant=_refuse_answer)
    except (ValueError, RecursionError) as error:
        raise Refusal(502, "ModelFailed", f"The model's answer is no JSON: {error}.") from error
    answer = found if isinstance(found, dict) and "predictions" in found else {"predictions": found}
    predictions = answer["predictions"]
    if isinstance(predictions, list) and len(predictions) != rows:
        message = f"The model answered {len(predictions)} predictions for {rows} rows."
        raise Refusal(502, "ModelFailed", message)
    return answer


def refusal_of(code: str, response: Mapping[str, Any], pipeline: str) -> Refusal | None:
    """Return what to answer when InvokeEndpoint failed; None for what is a defect of the deployment.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
    """
    text = str(response.get("OriginalMessage") or response.get("Error", {}).get("Message", ""))
    if code == "ModelError":
        status = int(response.get("OriginalStatusCode") or 500)
        if 400 <= status <= 499:
            return Refusal(413 if status == 413 else 400, "RefusedByTheModel", _sentence(text))
        return Refusal(502, "ModelFailed", f"The model failed ({status}); the log of its endpoint says why.")
    if code in _ABSENT:
        return Refusal(503, "NoEndpoint", f"The endpoint of {pipeline} does not serve.", detail=f"{code}: {text}")
    if code in _UNAVAILABLE:
        message = f"The endpoint of {pipeline} cannot answer now. Try again."
        return Refusal(503, "Busy", message, detail=f"{code}: {text}")
    return None


def _sentence(text: str) -> str:
    """The model's own words: our server answers `{"error": …, "message": …}`, others what they like."""
    try:
        found = json.loads(text)
    except ValueError:
        return text[:2000]
    if isinstance(found, dict):
        text = str(found.get("message") or found.get("error") or text)
    return text[:2000]


def response(status: int, document: Any) -> dict[str, Any]:
    """Return what API Gateway makes the HTTP answer from."""
    headers = {"Content-Type": JSON_TYPE, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status == 503:
        headers["Retry-After"] = "1"
    content = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    size = len(content)
    if size > MOST_ANSWER_BYTES:
        message = f"The answer has {size} bytes; {MOST_ANSWER_BYTES} can be sent. Send fewer rows."
        return response(413, Refusal(413, "AnswerTooLarge", message).body())
    return {"statusCode": status, "headers": headers, "body": content.decode(), "isBase64Encoded": False}
