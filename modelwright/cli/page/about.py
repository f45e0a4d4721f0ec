"""What the page is about: fields from the model's schema, the way that it asks, and its answers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from modelwright.client.endpoints import api
from modelwright.client.endpoints.serving_model import ServingModel, serving_model
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session
    from modelwright.serving.schema import Schema


class Trial:
    """One pipeline's model, as a page shows it and asks it."""

    def __init__(self, session: Session, deployment: Deployment, environment: str) -> None:
        """Find the model once, so that what is wrong is said before a browser opens."""
        self._session, self._deployment, self._environment = session, deployment, environment
        self.way = api.way_of(session, deployment)
        self._model = serving_model(session, deployment)

    def describe(self) -> Mapping[str, Any]:
        """Return what the page is made from, as it is now: a run may have put another model in place."""
        self._model = model = serving_model(self._session, self._deployment)
        setup, command = api.curl(self._session, self.way)
        return {
            "title": f"{self._deployment.pipeline} · try the model",
            "pipeline": self._deployment.pipeline,
            "environment": self._environment,
            "place": "this machine" if self._session.is_local else f"AWS, {self._session.region}",
            "run": model.run,
            "note": self._note(model),
            "fields": [] if model.hook else fields(model.schema),
            "outputs": (model.schema or {}).get("outputs"),
            "curl": {"setup": setup, "command": command, "url": self.way.url},
        }

    def ask(self, rows: list[Any]) -> Mapping[str, Any]:
        """Answer a question of the page; what goes wrong is an answer, too."""
        problems = self._problems(rows)
        if problems:
            message = f"{len(problems)} of the values cannot be taken."
            return {"status": 400, "document": {"message": message, "problems": problems}, "milliseconds": 0}
        began = time.monotonic()
        try:
            answer = api.ask(self._session, self.way, rows)
        except ModelwrightError as error:
            return {"status": 0, "document": {"message": str(error)}, "milliseconds": 0}
        except Exception as error:  # noqa: BLE001 - botocore's many errors of a connection; the page goes on
            return {"status": 0, "document": {"message": f"{type(error).__name__}: {error}"}, "milliseconds": 0}
        milliseconds = round((time.monotonic() - began) * 1000)
        return {"status": answer.status, "document": _shown(answer.document), "milliseconds": milliseconds}

    def _problems(self, rows: list[Any]) -> list[Mapping[str, Any]]:
        """What the schema refuses, where no API looks: the endpoint itself says less."""
        if self.way.is_api or not self._model.schema or not all(isinstance(row, dict) for row in rows):
            return []
        return [
            {"row": found.row, "column": found.column, "message": str(found)}
            for found in _schema(self._model.schema).check(rows)
        ]

    def _note(self, model: ServingModel) -> str:
        name = self._deployment.pipeline
        if not self.way.is_api:
            note = f"{name} has no REST API (deploy.api), so the page asks the endpoint itself, with your own rights."
        elif model.hook:
            note = f"{model.hook} prepares what comes through the API: rows have the form that it takes."
        else:
            return ""
        return note if model.schema else f"{note} The model has no schema: write rows as JSON."


def fields(schema: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the form's fields: one a column, with an example that training could have seen."""
    return [_field(column) for column in (schema or {}).get("columns", ())]


def _field(column: Mapping[str, Any]) -> dict[str, Any]:
    found = {"name": column["name"], "type": column["type"], "missing": column["missing"]}
    if column["type"] == "string":
        options = list(column.get("categories", ()))
        example = options[0] if options else ""
        return {**found, "options": options, "open": column.get("unknown", False), "example": example}
    if column["type"] == "boolean":
        return {**found, "options": ["true", "false"], "open": False, "example": "true"}
    limits = column.get("range")
    return {**found, "range": limits, "example": _middle(limits, whole=column["type"] == "integer") if limits else ""}


def _middle(limits: list[float], *, whole: bool) -> float:
    middle = (limits[0] + limits[1]) / 2
    return round(middle) if whole or limits[1] - limits[0] > 20 else round(middle, 2)


def _schema(document: Mapping[str, Any]) -> Schema:
    from modelwright.serving.schema import Schema  # noqa: PLC0415 # only where the page itself has to look

    return Schema.from_json(json.dumps(document))


def _shown(document: Any) -> Any:
    """Find the sentence: SageMaker writes the model's own inside its own, API Gateway some with a capital letter."""
    if not isinstance(document, dict) or "message" in document:
        return document
    text = str(document.get("OriginalMessage") or document.get("Message") or "")
    try:
        inner = json.loads(text)
    except ValueError:
        inner = None
    if isinstance(inner, dict):
        text = str(inner.get("message") or inner.get("error") or text)
    return {**document, "message": text} if text else document
