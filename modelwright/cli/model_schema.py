"""A model's schema as `client/` needs it, which knows nothing of the model server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.serving.schema import MISSING_TEXTS, Schema

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class ModelColumns:
    """The columns of a model, and what is wrong with a row."""

    schema: Schema

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in their order."""
        return self.schema.names

    def problems(self, row: Sequence[str] | Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a row of CSV, of as many values as there are columns, or with an object of JSON."""
        if isinstance(row, Mapping):
            named = row
        else:
            named = dict(zip(self.names, (None if cell in MISSING_TEXTS else cell for cell in row), strict=True))
        return [str(problem).partition(": ")[2] for problem in self.schema.check([named])]


def read_columns(text: str) -> ModelColumns:
    """Read a model's schema.json."""
    return ModelColumns(Schema.from_json(text))
