"""A fitted scikit-learn classifier as ONNX: which it is, what it takes, and its conversion by sklearn-onnx.

https://onnx.ai/sklearn-onnx/
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from modelwright.errors import names
from modelwright.serving.problems import last_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.serving.schema import Column

UNSEEN = "no text of the training data"
_CONVERTIBLE = "https://onnx.ai/sklearn-onnx/supported.html"
_CLASS = re.compile(r"type '?<class '([\w.]+)'>")


class Refused(Exception):  # noqa: N818  # a decision, not an error: the Python path serves the model
    """The model cannot be compiled; the message says why."""


def estimator_of(loaded: Any) -> Any:
    """Return the scikit-learn estimator in what `model_fn` gave: itself, or the one in a dict or among attributes."""
    from sklearn.base import BaseEstimator  # noqa: PLC0415 # seconds that `--help` need not wait for

    places = [loaded]
    if not isinstance(loaded, BaseEstimator):
        places = list(loaded.values()) if isinstance(loaded, dict) else list(getattr(loaded, "__dict__", {}).values())
    found = [value for value in places if isinstance(value, BaseEstimator) and hasattr(value, "predict")]
    if len(found) != 1:
        kinds = names([type(value).__name__ for value in found]) or f"none in a {type(loaded).__name__}"
        raise Refused(
            f"not convertible: {type(loaded).__name__}. model_fn must give one fitted scikit-learn classifier, alone "
            f"or in a dict; found {kinds}."
        )
    if getattr(found[0], "feature_names_in_", None) is None:
        kind = type(found[0]).__name__
        raise Refused(f"The estimator {kind} does not know its columns' names; fit it with a DataFrame.")
    return found[0]


def check_kind(estimator: Any) -> None:
    """Raise Refused for an estimator that is no classifier."""
    from sklearn.base import is_classifier  # noqa: PLC0415 # as above

    if not is_classifier(estimator):
        kind = type(estimator).__name__
        raise Refused(f"not convertible: {kind}. It is no classifier; only classifiers are compiled so far.")


def asked(model: Any, columns: Sequence[Column], frame: Any) -> tuple[Column, ...]:
    """Return the columns with what the model itself takes: a missing value, a text that training did not see.

    It is asked with rows of `frame` in which that one value is changed: what it does not raise at, it takes.
    """
    found = []
    for column in columns:
        missing = _takes(model, changed(frame, column.name, None))
        unknown = column.type == "string" and _takes(model, changed(frame, column.name, UNSEEN))
        found.append(dataclasses.replace(column, missing=missing, unknown=unknown))
    return tuple(found)


def changed(frame: Any, column: str, value: str | None) -> Any:
    """Return rows in which this column is `value`, None for missing."""
    import numpy as np  # noqa: PLC0415 # as above

    filler = np.nan if value is None else value
    kind = frame[column].dtype if value is not None or frame[column].dtype.kind not in "iub" else float
    return frame.assign(**{column: _series(frame, filler, kind)})


def probes(columns: Sequence[Column], frame: Any) -> Iterator[tuple[str, Any]]:
    """Yield the rows, and rows with a value changed that may be missing or unseen, with what they are."""
    yield "the hold-out", frame
    few = frame.head(20)
    for column in columns:
        if column.missing:
            yield f"rows without {column.name}", changed(few, column.name, None)
        if column.unknown:
            yield f"rows with an unseen {column.name}", changed(few, column.name, UNSEEN)


def to_onnx(model: Any, columns: Sequence[Column], frame: Any) -> bytes:
    """Return the model's ONNX, one input a column, outputs `label` and `probabilities`; Refused when it has none."""
    try:
        import skl2onnx  # noqa: PLC0415 # an extra
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType  # noqa: PLC0415
    except ImportError:
        raise Refused(
            "modelwright's extra for compiled models is not installed: `pip install 'modelwright[onnx]'`."
        ) from None
    kinds = {"string": StringTensorType}
    types = [(column.name, kinds.get(column.type, FloatTensorType)([None, 1])) for column in columns]
    whole, last = _by_name(model, frame)
    try:
        converted = skl2onnx.to_onnx(whole, initial_types=types, options={id(last): {"zipmap": False}})
    except Exception as error:
        raise Refused(_why(model, error)) from error
    # A set's order otherwise: the same model shall be the same bytes, in every process.
    opsets = sorted((entry.domain, entry.version) for entry in converted.opset_import)
    del converted.opset_import[:]
    for domain, version in opsets:
        converted.opset_import.add(domain=domain, version=version)
    return bytes(converted.SerializeToString(deterministic=True))


def _takes(model: Any, frame: Any) -> bool:
    try:
        model.predict(frame.head(1))
    except Exception:  # noqa: BLE001 # whatever an estimator raises: it does not take the value
        return False
    return True


def _series(frame: Any, value: Any, kind: Any) -> Any:
    import pandas as pd  # noqa: PLC0415 # as above

    return pd.Series([value] * len(frame), index=frame.index, dtype=kind)


def _by_name(model: Any, frame: Any) -> tuple[Any, Any]:
    """Return a pipeline whose first step takes columns by name, and its classifier: that step joins the inputs."""
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 # as above
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    if isinstance(model, Pipeline):
        return model, model.steps[-1][1]
    join = ColumnTransformer([("all", "passthrough", list(frame.columns))]).fit(frame)
    return Pipeline([("columns", join), ("classifier", model)]), model


def _why(model: Any, error: Exception) -> str:
    unknown = _CLASS.search(str(error))
    if unknown is not None:
        kind = unknown[1].rpartition(".")[2]
        return f"not convertible: {kind}. sklearn-onnx cannot convert it; it converts these: {_CONVERTIBLE}"
    return f"not convertible: {type(model).__name__}. sklearn-onnx cannot convert this one: {last_line(error)}"
