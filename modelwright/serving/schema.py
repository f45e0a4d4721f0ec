"""A model's schema: its columns in their order, what training saw in them, and what it answers. Standard library only.

It lies as `schema.json` beside the compiled model; docs/architecture.md has the document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from modelwright.errors import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

VERSION = 1
FILE = "schema.json"
Type = Literal["number", "integer", "string", "boolean"]
Form = Literal["records", "labels", "unknown"]
Label = str | int
TYPES: tuple[str, ...] = get_args(Type)
FORMS: tuple[str, ...] = ("records", "labels")
"""those that a compiled model writes"""
MISSING_TEXTS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"}
    | {"N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""What a CSV has where a value is missing, as pandas reads it:
https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html (na_values)"""
LARGEST = 3.4028234663852886e38
"""a compiled model computes in 32 bits: what is greater is no number to it"""
TRUE, FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_WANTED = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}


class SchemaError(ValueError):
    """A document that is no schema; the message has all that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Report `problems`, of which there is at least one."""
        super().__init__(f"The schema is not valid: {'; '.join(problems)}.")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Column:
    """One column of the model's input."""

    name: str
    type: Type
    missing: bool = False
    """whether the model takes a row without a value here"""
    minimum: float | None = None
    """the least number in training; a request may have less: it is a hint for forms and for drift"""
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    """the texts in training, sorted"""
    unknown: bool = False
    """whether the model takes a text that training did not see"""

    def to_dict(self) -> dict[str, Any]:
        """Return what the document has of it."""
        found: dict[str, Any] = {"name": self.name, "type": self.type, "missing": self.missing}
        if self.type == "string":
            found |= {"categories": list(self.categories), "unknown": self.unknown}
        elif self.minimum is not None and self.maximum is not None:
            found["range"] = [self.minimum, self.maximum]
        return found

    def allowed(self) -> str:
        """Say what may stand in it, as the rest of `must be …`."""
        if self.type == "string" and not self.unknown:
            wanted = names([repr(name) for name in self.categories], last="or")
        else:
            wanted = _WANTED[self.type]
        return f"{wanted} or missing" if self.missing else wanted

    def takes(self, value: Any) -> bool:
        """Say whether a JSON value may stand in it; a text that is a number counts as one."""
        if value is None:
            return self.missing
        if self.type == "string":
            return isinstance(value, str) and (self.unknown or value in self.categories)
        if self.type == "boolean":
            return isinstance(value, bool) or (isinstance(value, str) and value in TRUE | FALSE)
        number = as_number(value)
        return number is not None and (self.type == "number" or number.is_integer())


@dataclass(frozen=True)
class Outputs:
    """What the model answers a row with."""

    labels: tuple[Label, ...]
    """the classes, in the order of their probabilities"""
    form: Form
    """`records`: `{"predictions": [{<label>: …, <probabilities>: {<class>: …}}]}`; `labels`: a list of labels;
    `unknown`: the script writes another form, which is its own: the document has null instead of outputs"""
    label: str = ""
    probabilities: str = ""

    def to_dict(self) -> dict[str, Any] | None:
        """Return what the document has of it."""
        if self.form == "unknown":
            return None
        found: dict[str, Any] = {"labels": list(self.labels), "form": self.form}
        return found | ({"label": self.label, "probabilities": self.probabilities} if self.form == "records" else {})


UNKNOWN_OUTPUTS = Outputs((), "unknown")


@dataclass(frozen=True)
class Problem:
    """A value that the model cannot take."""

    row: int
    """from 1"""
    column: str
    found: Any
    allowed: str

    def __str__(self) -> str:
        """Return `row 2: bill_length_mm is "x"; it must be a number`."""
        found = "missing" if self.found is None else json.dumps(self.found, ensure_ascii=False, default=str)
        return f"row {self.row}: {self.column} is {_short(found)}; it must be {self.allowed}"


@dataclass(frozen=True)
class Schema:
    """The columns of a model's input in their order, and its outputs."""

    columns: tuple[Column, ...]
    outputs: Outputs

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in their order."""
        return tuple(column.name for column in self.columns)

    def to_json(self) -> str:
        """Return the canonical document: the same schema is always the same text."""
        columns = [column.to_dict() for column in self.columns]
        document = {"version": VERSION, "columns": columns, "outputs": self.outputs.to_dict()}
        return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read the document; SchemaError with everything that is wrong in it."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise SchemaError([f"it is not JSON: {error}"]) from None
        problems = list(_problems(document))
        if problems:
            raise SchemaError(problems)
        return cls(tuple(map(_column, document["columns"])), _outputs(document["outputs"]))

    def check(self, rows: Iterable[Mapping[str, Any]]) -> list[Problem]:
        """Return all values of all rows that the model cannot take; what a row does not have is missing."""
        return [
            Problem(number, column.name, row.get(column.name), column.allowed())
            for number, row in enumerate(rows, 1)
            for column in self.columns
            if not column.takes(row.get(column.name))
        ]


def as_number(value: Any) -> float | None:
    """Return a number, or a text that is one; None for everything else: infinities, NaN, `1_000`."""
    plain_text = isinstance(value, str) and value.isascii() and "_" not in value
    if isinstance(value, bool) or not (isinstance(value, int | float) or plain_text):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def learn(rows: Iterable[Mapping[str, str | None]], columns: Sequence[str]) -> tuple[Column, ...]:
    """Return what training saw in `columns`: rows as `csv.DictReader` gives them.

    A missing value in training makes `missing` true; whether the model takes more than that, only the model knows.
    """
    seen: dict[str, set[str]] = {name: set() for name in columns}
    for row in rows:
        for name in columns:
            seen[name].add(row.get(name) or "")
    return tuple(_learnt(name, values) for name, values in seen.items())


def _learnt(name: str, values: set[str]) -> Column:
    missing, found = bool(values & MISSING_TEXTS), values - MISSING_TEXTS
    if found and found <= TRUE | FALSE:
        return Column(name, "boolean", missing)
    numbers = [as_number(value) for value in found]
    if not numbers or None in numbers:
        return Column(name, "string", missing, categories=tuple(sorted(found)))
    known = [number for number in numbers if number is not None]
    whole = all(value.strip().lstrip("+-").isdigit() for value in found)
    return Column(name, "integer" if whole else "number", missing, min(known), max(known))


def _problems(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"it must be an object, found {type(document).__name__}"
        return
    if document.get("version") != VERSION:
        yield f"version is {document.get('version')!r}; this modelwright reads {VERSION}"
        return
    columns = document.get("columns")
    if not isinstance(columns, list) or not columns:
        yield "columns must be a list of at least one column"
    else:
        for number, column in enumerate(columns, 1):
            yield from _column_problems(f"column {number}", column)
        known = [str(column.get("name")) for column in columns if isinstance(column, dict)]
        yield from (f"the column {name!r} is there twice" for name in sorted({n for n in known if known.count(n) > 1}))
    yield from _output_problems(document.get("outputs", ""))


def _column_problems(where: str, column: Any) -> Iterator[str]:
    if not isinstance(column, dict):
        yield f"{where} must be an object"
        return
    if not isinstance(column.get("name"), str) or not column["name"]:
        yield f"{where}: name must be a text, found {column.get('name')!r}"
    kind = column.get("type")
    if kind not in TYPES:
        yield f"{where}: type is {kind!r}; it must be {names(TYPES, last='or')}"
    if not isinstance(column.get("missing"), bool):
        yield f"{where}: missing must be true or false, found {column.get('missing')!r}"
    if kind == "string":
        texts = column.get("categories")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            yield f"{where}: categories must be a list of texts"
        if not isinstance(column.get("unknown"), bool):
            yield f"{where}: unknown must be true or false, found {column.get('unknown')!r}"
    limits = column.get("range", [0, 0])
    if not (isinstance(limits, list) and len(limits) == 2 and all(isinstance(n, int | float) for n in limits)):
        yield f"{where}: range must be two numbers, found {limits!r}"
    elif limits[0] > limits[1]:
        yield f"{where}: range is {limits!r}; its first number must not be the greater"


def _output_problems(outputs: Any) -> Iterator[str]:
    if outputs is None:  # not known
        return
    if not isinstance(outputs, dict):
        yield "outputs must be an object"
        return
    labels = outputs.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str | int) for label in labels):
        yield "outputs: labels must be a list of texts or whole numbers"
    if outputs.get("form") not in FORMS:
        yield f"outputs: form is {outputs.get('form')!r}; it must be {names(FORMS, last='or')}"
    elif outputs["form"] == "records":
        keys = [key for key in ("label", "probabilities") if not isinstance(outputs.get(key), str)]
        yield from (f"outputs: {key} must be a text, found {outputs.get(key)!r}" for key in keys)


def _column(found: Mapping[str, Any]) -> Column:
    low, high = found.get("range", (None, None))
    texts = tuple(found.get("categories", ()))
    return Column(found["name"], found["type"], found["missing"], low, high, texts, found.get("unknown", False))


def _outputs(found: Mapping[str, Any] | None) -> Outputs:
    if found is None:
        return UNKNOWN_OUTPUTS
    return Outputs(tuple(found["labels"]), found["form"], found.get("label", ""), found.get("probabilities", ""))


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
