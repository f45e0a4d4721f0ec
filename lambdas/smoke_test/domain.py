"""What an answer must look like. Pure."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from shared.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence


class SmokeTestFailed(PipelineError):
    """The endpoint serves, but not what it was asked for."""


def named(model: str | None) -> str:
    """The model in a sentence; None: the only one."""
    return f"the model {model}" if model else "the model"


def no_time_left(models: Sequence[str | None], seconds: float) -> str:
    """Say which of several models were not asked, the others having taken `seconds`."""
    which = f"model{'s' * (len(models) > 1)} {', '.join(map(str, models))}"
    return f"no time was left to ask the {which}: those before took {seconds:.0f} seconds to answer, or to be loaded."


def media_type(content_type: str) -> str:
    """`text/csv` of `text/csv; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv_rows(text: str) -> int:
    """The rows without a header: a first row without any number above rows that have some."""
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) if any(cell.strip() for cell in row)]
    if not rows:
        return 0
    header = not any(map(_number, rows[0])) and any(_number(cell) for row in rows[1:] for cell in row)
    return len(rows) - header


def rows_asked(body: bytes, content_type: str) -> int | None:
    """How many rows a request has; None when its form does not say."""
    kind = media_type(content_type)
    if kind == "text/csv":
        return _csv_rows(body.decode())
    if kind == "application/jsonlines":
        return sum(1 for line in body.decode().splitlines() if line.strip())
    if kind == "application/json":
        found = json.loads(body)
        found = (
            next((found[key] for key in ("instances", "inputs") if key in found), None)
            if isinstance(found, dict)
            else found
        )
        return len(found) if isinstance(found, list) else None
    return None


def _refuse_constant(name: str) -> Any:
    raise SmokeTestFailed(f"the answer holds {name}, which is no JSON and no prediction.")


def _json_predictions(body: bytes) -> int:
    try:
        found = json.loads(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise SmokeTestFailed(f"the answer is no JSON: {error}.") from error
    if isinstance(found, list):
        return len(found)
    if isinstance(found, dict):
        lengths = {len(value) for value in found.values() if isinstance(value, list)}
        if len(lengths) > 1:
            raise SmokeTestFailed(f"the answer's lists have different lengths: {sorted(lengths)}.")
        return lengths.pop() if lengths else 1
    return 1


def predictions_found(body: bytes, content_type: str) -> int | None:
    """How many predictions an answer has; None when its form does not say."""
    kind = media_type(content_type)
    if kind == "application/json":
        return _json_predictions(body)
    if kind in {"text/csv", "application/jsonlines"}:
        return _csv_rows(body.decode()) if kind == "text/csv" else sum(1 for line in body.splitlines() if line.strip())
    return None


def _rows(body: bytes, content_type: str) -> int | None:
    try:
        return rows_asked(body, content_type)
    except (ValueError, csv.Error) as error:
        raise SmokeTestFailed(f"the release's smoke test is no {media_type(content_type)}: {error}.") from error


def _predictions(answer: bytes, content_type: str) -> int | None:
    try:
        return predictions_found(answer, content_type)
    except (ValueError, csv.Error) as error:
        raise SmokeTestFailed(f"the answer is no {media_type(content_type)}: {error}.") from error


def check_answer(request: dict[str, Any], body: bytes, answer: bytes, content_type: str) -> dict[str, Any]:
    """Return what was seen, or say why the model must not serve."""
    if not answer:
        raise SmokeTestFailed("the answer is empty.")
    accept = media_type(request["accept"])
    if accept not in {"*/*", media_type(content_type)}:
        raise SmokeTestFailed(f"the answer is {content_type!r}; {request['accept']!r} was asked for.")
    asked, found = _rows(body, request["content_type"]), _predictions(answer, content_type)
    if asked is not None and found is not None and asked != found:
        raise SmokeTestFailed(f"the answer has {found} predictions for {asked} rows.")
    return {"rows": asked, "predictions": found, "contentType": content_type}
