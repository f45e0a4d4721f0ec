"""The OpenAPI document of a pipeline's API, made from its model's schema. Pure.

https://spec.openapis.org/oas/v3.1.0.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serve_api.schema import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serve_api.schema import Column, Schema

_TYPES = {"number": "number", "integer": "integer", "string": "string", "boolean": "boolean"}
_KEY = {"type": "apiKey", "in": "header", "name": "x-api-key"}
_SIGNATURE = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "x-amazon-apigateway-authtype": "awsSigv4",
    "description": "A signature of AWS, version 4, for the service execute-api.",
}
_STATUSES = {
    "400": "The request is wrong; the answer says what is, all at once.",
    "403": "Not authorized.",
    "413": "More rows than can be sent or answered at once.",
    "415": "Another content type than application/json.",
    "429": "Too many requests, or the quota is used up.",
    "500": "The pipeline's preprocessing failed.",
    "502": "The model failed.",
    "503": "No model can answer now.",
    "504": "The model did not answer in time.",
}


@dataclass(frozen=True)
class Api:
    """What the document is about."""

    pipeline: str
    url: str
    """Up to the stage, without a slash at its end."""
    authorization: str
    run: str
    """Of the model that serves."""
    hook: bool
    """Whether the pipeline prepares rows first: then they are of its own form."""


def document(api: Api, schema: Schema | None) -> dict[str, Any]:
    """Return the document; without a schema, or behind a hook, rows are objects of any form."""
    security = {"api_key": _KEY} if api.authorization == "api-key" else {"aws_signature": _SIGNATURE}
    schemas = {"Row": _row(api, schema), "Prediction": _prediction(schema), "Error": _ERROR}
    if api.hook and schema is not None:
        schemas["PreparedRow"] = _model_row(schema)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Predictions of {api.pipeline}",
            "version": api.run,
            "description": f"The model of run {api.run} answers. Made from the schema that it learnt.",
        },
        "servers": [{"url": api.url}],
        "security": [{name: []} for name in security],
        "paths": {
            "/predict": {"post": _predict()},
            "/schema": {"get": _read("schema", "The model's schema", "404", "The model has no schema.")},
            "/openapi.json": {"get": _read("openapi", "This document", "503", _STATUSES["503"])},
        },
        "components": {"schemas": schemas, "securitySchemes": security},
    }


def _predict() -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "items": _ref("Row")}
    asked = {
        "type": "object",
        "required": ["instances"],
        "properties": {"instances": rows},
        "additionalProperties": False,
    }
    predictions: dict[str, Any] = {"type": "array", "items": _ref("Prediction")}
    answer = {"type": "object", "required": ["predictions"], "properties": {"predictions": predictions}}
    return {
        "operationId": "predict",
        "summary": "One prediction for each row",
        "requestBody": {"required": True, "content": _json(asked)},
        "responses": {"200": {"description": "The predictions, in the order of the rows.", "content": _json(answer)}}
        | {status: _error(text) for status, text in _STATUSES.items()},
    }


def _read(name: str, what: str, status: str, refused: str) -> dict[str, Any]:
    responses = {"200": {"description": f"{what}.", "content": _json({"type": "object"})}, status: _error(refused)}
    return {"operationId": name, "summary": what, "responses": responses | {"403": _error(_STATUSES["403"])}}


def _row(api: Api, schema: Schema | None) -> dict[str, Any]:
    if api.hook:
        return {"type": "object", "description": "What the pipeline's preprocessing takes; it makes the model's rows."}
    if schema is None:
        return {"type": "object", "description": "The model has no schema: its own script says what it takes."}
    return _model_row(schema)


def _model_row(schema: Schema) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [column.name for column in schema.columns if not column.missing],
        "properties": {column.name: _value(column) for column in schema.columns},
        "additionalProperties": False,
    }


def _value(column: Column) -> dict[str, Any]:
    kind = _TYPES[column.type]
    found: dict[str, Any] = {"type": [kind, "null"] if column.missing else kind}
    if kind in {"number", "integer"}:
        found |= {"minimum": -LARGEST, "maximum": LARGEST}
    if column.limits:
        low, high = column.limits
        found["description"] = f"Training saw {low:g} to {high:g}; other numbers are taken, too."
        found["examples"] = [round(low + (high - low) / 2) if kind == "integer" else round((low + high) / 2, 6)]
    elif column.type == "string" and not column.unknown:
        found["enum"] = [*column.categories, *([None] if column.missing else [])]
    elif column.categories:
        found["description"] = "Training saw: " + ", ".join(column.categories[:50])
        found["examples"] = list(column.categories[:1])
    return found


def _prediction(schema: Schema | None) -> dict[str, Any]:
    if schema is None or schema.outputs is None:
        return {"description": "As the model's own script answers."}
    outputs = schema.outputs
    label = {"enum": list(outputs["labels"])}
    if outputs["form"] != "records":
        return label
    share = {"type": "number", "minimum": 0, "maximum": 1}
    probabilities = {"type": "object", "properties": {str(name): share for name in outputs["labels"]}}
    return {
        "type": "object",
        "required": [outputs["label"], outputs["probabilities"]],
        "properties": {outputs["label"]: label, outputs["probabilities"]: probabilities},
    }


_PROBLEM = {
    "type": "object",
    "properties": {"row": {"type": "integer"}, "column": {"type": "string"}, "message": {"type": "string"}},
}
_ERROR: Mapping[str, Any] = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "error": {"type": "string"},
        "message": {"type": "string"},
        "problems": {"type": "array", "items": _PROBLEM},
        "problem_count": {"type": "integer"},
    },
}


def _error(description: str) -> dict[str, Any]:
    return {"description": description, "content": _json(_ref("Error"))}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
