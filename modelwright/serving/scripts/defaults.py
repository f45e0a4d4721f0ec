"""What `input_fn`, `predict_fn` and `output_fn` do when the script has none: JSON, CSV and NumPy's own formats."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

from modelwright.serving.http.media import CSV, JSON, NPY, NPZ
from modelwright.serving.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

INPUT_TYPES = (JSON, CSV, NPY, NPZ)
OUTPUT_TYPES = (JSON, CSV, NPY)
MOST_UNPACKED_BYTES = 256 * 1024 * 1024
"""of an npz; InvokeEndpoint takes 6 MiB"""


def default_input(body: str | bytes, content_type: str) -> Any:
    """Return the body as an array, `(n_samples, n_features)`; RequestError when it does not hold one.

    JSON: a list (of lists). CSV: numbers only, without a header row. npy and npz: never with pickle.
    """
    readers: dict[str, Callable[[Any], Any]] = {JSON: _from_json, CSV: _from_csv, NPY: _from_npy, NPZ: _from_npy}
    reader = readers.get(content_type)
    if reader is None:
        raise RequestError(
            415, "UnsupportedMediaType", f"Content-Type is {content_type!r}; this model takes {', '.join(INPUT_TYPES)}."
        )
    return reader(body)


def default_predict(data: Any, model: Any) -> Any:
    """Return `model.predict(data)`, or `model(data)` for what can only be called."""
    predict = getattr(model, "predict", None)
    return predict(data) if callable(predict) else model(data)


def default_output(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Return the prediction in the type `accept` and that type; RequestError 406 for another type."""
    writers: dict[str, Callable[[Any], bytes]] = {JSON: _to_json, CSV: _to_csv, NPY: _to_npy}
    writer = writers.get(accept)
    if writer is None:
        raise RequestError(
            406, "NotAcceptable", f"Accept is {accept!r}; this model answers in {', '.join(OUTPUT_TYPES)}."
        )
    return writer(prediction), accept


def parse_json(text: str) -> Any:
    """Read JSON as RFC 8259 has it: no NaN, no Infinity. RequestError 400 with the place of what is wrong."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _bad(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except ValueError:  # https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
        raise _bad("The body is not JSON that can be read: a number has too many digits.") from None
    except RecursionError:
        raise _bad("The body is not JSON that can be read: it is nested too deeply.") from None


def _from_json(text: str) -> Any:
    import numpy as np  # noqa: PLC0415  # a script with its own input_fn may run without NumPy

    value = parse_json(text)
    if not isinstance(value, list):
        raise _bad(f"The JSON body must be a list of rows; found {type(value).__name__}.")
    try:
        array = np.asarray(value)
    except ValueError:
        raise _bad("The JSON body's rows have different lengths.") from None
    if array.dtype.kind in "US":
        array = np.asarray(value, dtype=object)
    fits: bool = np.isfinite(array).all() if array.dtype.kind == "f" else all(map(_fits, _objects(array)))
    if not fits:
        raise _bad("The JSON body has a number that is too large: no 64 bits hold it.")
    return array


def _objects(array: Any) -> Any:
    return array.flat if array.dtype.kind == "O" else ()


def _fits(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or value.bit_length() <= 64


def _from_csv(text: str) -> Any:
    import csv  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415

    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise _bad(f"The body is not CSV: {error}.") from None
    if not rows:
        raise _bad("The CSV body has no row.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise _bad(f"The CSV body's row {number} has {len(row)} columns, row 1 has {len(rows[0])}.")
    try:
        array = np.asarray(rows, dtype=float)
    except ValueError:
        raise _bad(_first_text(rows)) from None
    if not text.isascii() or "_" in text or np.isinf(array).any():
        raise _bad(_first_text(rows))
    return array


def _first_text(rows: list[list[str]]) -> str:
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            if not _is_number(cell):
                return f"The CSV body's row {number}, column {column} is {cell[:100]!r}; it must be a number."
    return "The CSV body holds something that is not a number."


def _is_number(cell: str) -> bool:
    """Say whether not only Python reads a number in it: not `1_000`, digits of other scripts, `1e999`."""
    try:
        return cell.isascii() and "_" not in cell and not math.isinf(float(cell))
    except ValueError:
        return False


def _from_npy(body: bytes) -> Any:
    import numpy as np  # noqa: PLC0415

    try:
        loaded = np.load(io.BytesIO(body), allow_pickle=False)  # a pickle runs code of whoever sent it
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return loaded
        with loaded:
            _check_unpacked(loaded.zip)
            arrays = {name: loaded[name] for name in loaded.files}
    except RequestError:
        raise
    except Exception as error:  # noqa: BLE001  # NumPy and zipfile raise many kinds for damaged bytes
        raise _bad(f"The body is not a NumPy array that can be read without pickle: {error}") from None
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _check_unpacked(archive: Any) -> None:
    """Refuse a small body that would fill the memory: no member of a zip unpacks to more than it says."""
    size = sum(item.file_size for item in archive.infolist())
    if size > MOST_UNPACKED_BYTES:
        raise _bad(f"The body unpacks to {size} bytes; it may have {MOST_UNPACKED_BYTES}.")


def _plain(prediction: Any) -> Any:
    """Return what JSON has: NumPy's and pandas' values as Python's."""
    if hasattr(prediction, "to_dict") and hasattr(prediction, "columns"):
        return prediction.to_dict(orient="records")
    return prediction.tolist() if hasattr(prediction, "tolist") else prediction


def _to_json(prediction: Any) -> bytes:
    return json.dumps(_plain(prediction), default=_plain_or_fail, allow_nan=False).encode()


def _plain_or_fail(value: Any) -> Any:
    plain = _plain(value)
    if plain is value:
        raise TypeError(f"a prediction of type {type(value).__name__} has no JSON form; write an output_fn")
    return plain


def _to_csv(prediction: Any) -> bytes:
    import csv  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415

    array = np.asarray(prediction)
    if array.ndim > 2:
        raise TypeError(f"a prediction of {array.ndim} dimensions has no CSV form; write an output_fn")
    rows = array.reshape(-1, 1) if array.ndim < 2 else array
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows.tolist())
    return text.getvalue().encode()


def _to_npy(prediction: Any) -> bytes:
    import numpy as np  # noqa: PLC0415

    buffer = io.BytesIO()
    np.save(buffer, np.asarray(prediction), allow_pickle=False)
    return buffer.getvalue()


def _refuse_constant(name: str) -> Any:
    raise _bad(f"The body has {name}, which is no JSON; send null for what is missing.")


def _bad(message: str) -> RequestError:
    return RequestError(400, "BadRequest", message)
