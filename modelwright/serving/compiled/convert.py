"""`python -m modelwright.serving.compiled.convert`: an archive's model as `model.onnx`, `schema.json`, `report.json`.

A process of its own, since it unpickles the model and runs its script. It prints one JSON line: the report, or
`{"refused": why}`, and writes nothing when it refuses.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.serving.archive import unpack
from modelwright.serving.compiled.comparison import (
    LARGEST_DIFFERENCE,
    answer_form,
    answers_differ,
    arrays,
    ask,
    estimators_differ,
)
from modelwright.serving.compiled.conversion import Refused, asked, check_kind, estimator_of, to_onnx
from modelwright.serving.compiled.model import MODEL_FILE, load_compiled
from modelwright.serving.http import media
from modelwright.serving.problems import LoadError, RequestError, StartupError
from modelwright.serving.schema import FILE as SCHEMA_FILE
from modelwright.serving.schema import MISSING_TEXTS, TRUE, UNKNOWN_OUTPUTS, Column, Schema, learn
from modelwright.serving.scripts.model import load_model
from modelwright.serving.scripts.requirements import install_requirements
from modelwright.serving.scripts.script import load_script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.serving.compiled.model import OnnxModel
    from modelwright.serving.model import Model
    from modelwright.serving.scripts.model import PythonModel
    from modelwright.serving.scripts.script import Script

REPORT_FILE = "report.json"
_TIMED = 30


@dataclass(frozen=True)
class Source:
    """Where everything is that a conversion reads."""

    archive: Path
    sha256: str
    train: Path
    test: Path
    program: str = "inference.py"


def convert(source: Source, into: Path, *, timed: bool = True) -> dict[str, Any]:
    """Write the three files into the folder `into`, and return the report; Refused or LoadError with the reason.

    A model that is refused has left its schema there, if what it takes could be learnt.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "model"
        unpack(source.archive, unpacked, source.sha256)
        script, loaded = _load(unpacked, source.program)
        named = bool(script.input_fn or script.transform_fn)
        report = _compile(source, into, loaded, named=named, timed=timed)
        (into / REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        return report


def _load(unpacked: Path, program: str) -> tuple[Script, PythonModel]:
    try:
        install_requirements(unpacked / "code")
        script = load_script(unpacked / "code", program)
        return script, load_model(script, unpacked)
    except StartupError as error:
        raise LoadError(str(error)) from error


def _compile(source: Source, into: Path, python: PythonModel, *, named: bool, timed: bool) -> dict[str, Any]:
    """Write schema and model, compared on the hold-out, and return the report; `named`: the script takes names."""
    model = estimator_of(python.loaded)
    rows = _rows(source.test)
    learnt = learn(_rows(source.train), _columns(model, rows))
    frame = _frame(source.test, learnt)
    columns = asked(model, learnt, frame)
    _write(into, Schema(columns, UNKNOWN_OUTPUTS))
    check_kind(model)
    bodies = _bodies(rows, columns, named=named)
    schema = Schema(columns, answer_form(python, model, frame, bodies))
    _write(into, schema)
    (into / MODEL_FILE).write_bytes(to_onnx(model, columns, frame))
    compiled = load_compiled(into)
    difference = max(estimators_differ(model, compiled, schema, frame), answers_differ(python, compiled, bodies))
    accuracy = _accuracy(model, compiled, schema, frame, rows)
    report = {**_about(source, into, model), **_compared(len(rows), difference), "accuracy": accuracy}
    return report | (_timed(python, compiled, bodies, len(rows)) if timed else {})


def _about(source: Source, into: Path, model: Any) -> dict[str, Any]:
    return {
        "estimator": type(model).__name__,
        "bytes": (into / MODEL_FILE).stat().st_size,
        "archive_bytes": source.archive.stat().st_size,
        "archive_sha256": source.sha256,
    }


def _compared(rows: int, difference: float) -> dict[str, Any]:
    return {
        "holdout_rows": rows,
        "same_labels": True,  # else it is refused
        "largest_difference": difference,
        "largest_difference_allowed": LARGEST_DIFFERENCE,
    }


def _timed(python: Model, compiled: Model, bodies: Mapping[str, Sequence[bytes]], rows: int) -> dict[str, Any]:
    kind = media.CSV if _takes_csv(python, bodies) else media.JSON
    times = {"python": _times(python, bodies, kind, rows), "onnx": _times(compiled, bodies, kind, rows)}
    return {"microseconds_per_row": times}


def _write(into: Path, schema: Schema) -> None:
    (into / SCHEMA_FILE).write_text(schema.to_json(), "utf-8")


def _accuracy(
    model: Any, compiled: OnnxModel, schema: Schema, frame: Any, rows: Sequence[Mapping[str, str]]
) -> dict[str, Any] | None:
    """Return how many rows of the hold-out each model gets right; None when no column of it has the true labels."""
    column = label_column(schema, rows)
    if column is None:
        return None
    truth = [row[column] for row in rows]
    answers = {"python": model.predict(frame).tolist(), "onnx": compiled.predict(arrays(frame, schema))[0]}
    right = {name: sum(map(str.__eq__, truth, map(str, found))) for name, found in answers.items()}
    return {"column": column, **{name: number / len(truth) for name, number in right.items()}}


def label_column(schema: Schema, rows: Sequence[Mapping[str, str]]) -> str | None:
    """Return the column with the true labels: the one that the answers name, or the only one that has nothing else."""
    outputs = schema.outputs
    labels = {str(label) for label in outputs.labels}
    found = [
        name for name in rows[0] if name not in schema.names and labels.issuperset(str(row.get(name)) for row in rows)
    ]
    if outputs.label in found:
        return outputs.label
    return found[0] if len(found) == 1 else None


def _rows(folder: Path) -> list[dict[str, str]]:
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise Refused(f"The run left no .csv in {folder.name}/: the schema is learnt from train/, compared on test/.")
    rows: list[dict[str, str]] = []
    for file in files:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows += csv.DictReader(stream)
    if not rows:
        raise Refused(f"The .csv in the run's {folder.name}/ have no rows.")
    return rows


def _columns(model: Any, rows: Sequence[Mapping[str, str]]) -> list[str]:
    found = [str(name) for name in model.feature_names_in_]
    absent = [name for name in found if name not in rows[0]]
    if absent:
        raise Refused(f"The hold-out has no column {', '.join(absent)}: it must have the raw columns of a request.")
    return found


def _frame(folder: Path, columns: Sequence[Column]) -> Any:
    import pandas as pd  # noqa: PLC0415 # the script has it imported, or has no need of it

    names = [column.name for column in columns]
    return pd.concat([pd.read_csv(file) for file in sorted(folder.glob("*.csv"))], ignore_index=True)[names]


def _bodies(rows: Sequence[Mapping[str, str]], columns: Sequence[Column], *, named: bool) -> dict[str, list[bytes]]:
    """Return the hold-out as requests by content type: the whole of it, and its first row alone.

    The default `input_fn` takes arrays: values without the columns' names.
    """
    names = [column.name for column in columns]
    cells = [[row[name] for name in names] for row in rows]
    found: dict[str, list[bytes]] = {media.CSV: [], media.JSON: []}
    for some in (cells, cells[:1]):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*([names] if named else []), *some])
        found[media.CSV].append(text.getvalue().encode())
        values = [[_value(column, cell) for column, cell in zip(columns, row, strict=True)] for row in some]
        document = [dict(zip(names, row, strict=True)) for row in values] if named else values
        found[media.JSON].append(json.dumps(document).encode())
    return found


def _value(column: Column, text: str) -> Any:
    if text in MISSING_TEXTS:
        return None
    if column.type == "string":
        return text
    return text in TRUE if column.type == "boolean" else float(text)


def _takes_csv(python: Model, bodies: Mapping[str, Sequence[bytes]]) -> bool:
    try:
        ask(python, bodies[media.CSV][1], media.CSV, media.JSON)
    except RequestError:
        return False
    return True


def _times(model: Model, bodies: Mapping[str, Sequence[bytes]], kind: str, rows: int) -> dict[str, float]:
    """Microseconds a row, headers, reading and writing included: a request of one row, and one of all rows."""
    whole, one = bodies[kind]
    return {"1": _time(model, one, kind), str(rows): round(_time(model, whole, kind) / rows, 2)}


def _time(model: Model, body: bytes, kind: str) -> float:
    found = []
    for _ in range(_TIMED):
        started = time.perf_counter()
        ask(model, body, kind, media.JSON)
        found.append(time.perf_counter() - started)
    return round(statistics.median(found) * 1e6, 1)


def main(arguments: list[str] | None = None) -> int:
    """Convert; exit with 0, or with 1 when it is refused."""
    parser = argparse.ArgumentParser(prog="python -m modelwright.serving.compiled.convert", description=__doc__)
    for name in ("archive", "train", "test", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--sha256", required=True, help="of the archive; no other is unpacked")
    parser.add_argument("--program", default="inference.py", help="the script under code/")
    options = parser.parse_args(arguments)
    source = Source(options.archive, options.sha256, options.train, options.test, options.program)
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():  # what a script prints is not the answer
            warnings.simplefilter("ignore")
            answer = convert(source, options.output)
    except (Refused, StartupError) as error:
        for name in (MODEL_FILE, SCHEMA_FILE, REPORT_FILE):
            (options.output / name).unlink(missing_ok=True)
        answer = {"refused": str(error)}
    print(json.dumps(answer))  # noqa: T201  # to whoever started this process
    return int("refused" in answer)


if __name__ == "__main__":
    sys.exit(main())
