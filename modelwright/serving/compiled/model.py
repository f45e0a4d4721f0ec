"""The compiled path: `model.onnx` by ONNX Runtime, its requests by `schema.json`. No pickle, pandas or scikit-learn."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelwright.serving.http import media
from modelwright.serving.model import Answer, Quick, Request
from modelwright.serving.problems import RequestError, StartupError
from modelwright.serving.schema import FILE as SCHEMA_FILE
from modelwright.serving.schema import Schema, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import onnxruntime

    from modelwright.serving.bodies.answers import Writer

MODEL_FILE = "model.onnx"
CONTENT_TYPES = (media.JSON, media.CSV)
NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"
"""Since 1.29 ONNX Runtime tells Microsoft about each session, from a thread that it starts when it is imported, unless
this is set: https://github.com/kibae/onnxruntime-server/releases/tag/v1.29.0"""
_MISSING = "modelwright's extra for compiled models is not installed: `pip install 'modelwright[onnx]'`."
_OF_ASCII = ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1")
"""charsets in which ASCII's bytes are ASCII's text"""
_HEADERS_KEPT = 256
"""so many different pairs of Content-Type and Accept are read once only"""


@dataclass(frozen=True)
class Prepared:
    """A request whose headers are understood."""

    body: bytes
    content_type: media.MediaType
    accept: str


class OnnxModel:
    """A compiled classifier: what `modelwright export` wrote."""

    execution_parameters: Mapping[str, Any] | None = None
    inline = True
    gathers = False  # a call costs microseconds, whatever its rows

    def __init__(self, session: onnxruntime.InferenceSession, schema: Schema, default_accept: str = media.JSON) -> None:
        """Serve this session of ONNX Runtime; StartupError unless its inputs are the schema's columns."""
        from modelwright.serving.bodies import answers, bulk, one_row, quick, rows, typed  # noqa: PLC0415 # need the extra

        self._session = session
        self._schema = schema
        self._default_accept = default_accept if default_accept in answers.TYPES else media.JSON
        self._inputs = [item.name for item in session.get_inputs()]
        self._outputs = _wanted_outputs(session, schema)
        _check_inputs(self._inputs, schema)
        self._rows = rows
        self._typed = typed.Reader(schema)
        self._bulk, self._lines = bulk, bulk.CsvWriter(schema.outputs)
        self._ways = quick
        self._row = one_row.OneRow(schema)
        self._writers: dict[str, Writer] = {accept: answers.writer(schema.outputs, accept) for accept in answers.TYPES}
        self._understood = lru_cache(_HEADERS_KEPT)(self._understand)

    def warm_up(self) -> None:
        """There is nothing that the first request waits for."""

    def prepare(self, request: Request) -> Prepared:
        """Understand the headers: RequestError 400, 406 or 415."""
        headers = request.headers
        content_type, accept = self._understood(headers.get("content-type") or media.JSON, headers.get("accept", ""))
        if not request.body:
            raise RequestError(400, "BadRequest", "The body is empty.")
        return Prepared(request.body, content_type, accept)

    def run(self, prepared: Prepared) -> Answer:
        """Predict; RequestError 400 names every value that the model cannot take."""
        body = self._run_bulk(prepared) if self._is_bulk(prepared) else None
        if body is None:
            body = self._writers[prepared.accept](*self.predict(self._read(prepared)))
        return Answer(body, prepared.accept)

    def predict(self, arrays: Sequence[Any]) -> tuple[list[Any], list[list[float]]]:
        """Return the label of each row, and its probabilities (n_rows, n_classes), empty for form `labels`."""
        return self._named(self._predict(arrays))

    def _predict(self, arrays: Sequence[Any]) -> Any:
        return self._session.run(self._outputs, dict(zip(self._inputs, arrays, strict=True)))[0]

    def _named(self, found: Any) -> tuple[list[Any], list[list[float]]]:
        if self._schema.outputs.form == "labels":
            return found.tolist(), [[] for _ in found]
        names = self._schema.outputs.labels
        return [names[place] for place in found.argmax(axis=1).tolist()], found.tolist()

    def _is_bulk(self, prepared: Prepared) -> bool:
        kind = prepared.content_type
        return (
            kind.name == media.CSV
            and kind.charset.lower() in {"utf-8", "utf8"}
            and len(prepared.body) >= self._bulk.LEAST_BYTES
        )

    def _run_bulk(self, prepared: Prepared) -> bytes | None:
        """Answer many rows; None for what the long way has to look at."""
        found = self._bulk.predictions(prepared.body, self._schema, self._predict)
        if found is None:
            return None
        if prepared.accept == media.CSV and self._lines.can:
            written = [self._lines.write(each) for each in found]
            return None if None in written else b"".join(each for each in written if each is not None)
        labels: list[Any] = []
        probabilities: list[list[float]] = []
        for each in found:
            some, more = self._named(each)
            labels += some
            probabilities += more
        return self._writers[prepared.accept](labels, probabilities)

    def quick(self, content_type: str, accept: str) -> Quick | None:
        """Return what answers one row; None for refused headers, charsets unlike ASCII, other forms."""
        try:
            understood, wanted = self._understood(content_type or media.JSON, accept)
        except RequestError:
            return None
        if understood.charset.lower() not in _OF_ASCII:
            return None
        read = self._ways.csv_reader(self._row) if understood.name == media.CSV else self._ways.json_reader(self._row)
        write = self._ways.writer(self._schema.outputs, wanted)
        if read is None or write is None:
            return None
        run, outputs = self._session.run, self._outputs

        def answer(body: bytes) -> bytes | None:
            feeds = read(body)
            return None if feeds is None else write(run(outputs, feeds)[0].tolist()[0])

        return Quick(answer, wanted)

    def _understand(self, content_type: str, accept: str) -> tuple[media.MediaType, str]:
        understood = media.parse_media_type(content_type)
        if understood.name not in CONTENT_TYPES:
            allowed = ", ".join(CONTENT_TYPES)
            raise RequestError(
                415, "UnsupportedMediaType", f"Content-Type is {understood.name!r}; this model takes {allowed}."
            )
        return understood, media.candidates(accept, tuple(self._writers), self._default_accept)[0]

    def _read(self, prepared: Prepared) -> list[Any]:
        text = media.decode(prepared.body, prepared.content_type)
        if prepared.content_type.name == media.CSV:
            return self._rows.from_csv(text, self._schema)
        found = self._typed.read(text)
        return self._rows.from_json(text, self._schema) if found is None else found


def is_compiled(model_dir: Path) -> bool:
    """Say whether the folder holds a compiled model."""
    return (model_dir / MODEL_FILE).is_file() and (model_dir / SCHEMA_FILE).is_file()


def load_compiled(model_dir: Path, default_accept: str = media.JSON) -> OnnxModel:
    """Return the model of a folder; StartupError when it cannot be served."""
    absent = [name for name in (MODEL_FILE, SCHEMA_FILE) if not (model_dir / name).is_file()]
    if absent:
        raise StartupError(f"There is no {' and no '.join(absent)} in the model; `modelwright export` writes both.")
    os.environ[NO_TELEMETRY] = "1"
    try:
        import msgspec  # noqa: F401, PLC0415 # as below
        import onnxruntime  # noqa: PLC0415 # an extra
    except ImportError:
        raise StartupError(_MISSING) from None
    try:
        schema = Schema.from_json((model_dir / SCHEMA_FILE).read_text("utf-8"))
    except (SchemaError, UnicodeDecodeError) as error:
        raise StartupError(f"{SCHEMA_FILE}: {error}") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a row takes microseconds: handing it to another thread takes longer
    options.inter_op_num_threads = 1
    try:
        providers = ["CPUExecutionProvider"]
        session = onnxruntime.InferenceSession(str(model_dir / MODEL_FILE), options, providers=providers)
    except Exception as error:
        raise StartupError(f"{MODEL_FILE} cannot be loaded: {' '.join(str(error).split())}") from error
    return OnnxModel(session, schema, default_accept)


def _wanted_outputs(session: onnxruntime.InferenceSession, schema: Schema) -> list[str]:
    there = [item.name for item in session.get_outputs()]
    wanted = "label" if schema.outputs.form == "labels" else "probabilities"
    if wanted not in there:
        raise StartupError(f"{MODEL_FILE} has no output {wanted!r}; it has {', '.join(there)}.")
    return [wanted]


def _check_inputs(inputs: list[str], schema: Schema) -> None:
    if inputs != list(schema.names):
        raise StartupError(
            f"{MODEL_FILE} takes {', '.join(inputs)}, but {SCHEMA_FILE} has {', '.join(schema.names)}: "
            "they are not of one model."
        )
