"""A model that is not there, for tests of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.cli.page.about import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: dict[str, Any] = {
    "version": 1,
    "columns": [
        {"name": "species", "type": "string", "missing": True, "categories": ["Adelie", "Gentoo"], "unknown": True},
        {"name": "island", "type": "string", "missing": False, "categories": ["Biscoe", "Dream"], "unknown": False},
        {"name": "bill_length_mm", "type": "number", "missing": True, "range": [32.1, 59.6]},
        {"name": "year", "type": "integer", "missing": False, "range": [2007, 2009]},
        {"name": "tagged", "type": "boolean", "missing": True},
    ],
    "outputs": {"form": "records", "labels": ["female", "male"], "label": "sex", "probabilities": "probability"},
}
PREDICTION = {"sex": "male", "probability": {"female": 0.125, "male": 0.875}}


class FakeTrial:
    """Answers what it is told to; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answers: list[Mapping[str, Any]] = []
        self.about: dict[str, Any] = {
            "title": "penguins · try the model",
            "pipeline": "penguins",
            "environment": "dev",
            "place": "this machine",
            "run": "0123456789ab",
            "note": "",
            "fields": fields(SCHEMA),
            "outputs": SCHEMA["outputs"],
            "curl": {"setup": "", "command": "curl", "url": "http://127.0.0.1:1/it's/predict"},
        }

    def describe(self) -> Mapping[str, Any]:
        return self.about

    def ask(self, rows: list[Any]) -> Mapping[str, Any]:
        self.asked.append(rows)
        if self.answers:
            return self.answers.pop(0)
        return {"status": 200, "document": {"predictions": [PREDICTION] * len(rows)}, "milliseconds": 7}
