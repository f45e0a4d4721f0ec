"""Rows of several requests as one input, and a prediction as one for each: what may be joined, and how it is cut."""

from __future__ import annotations

import sys
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

MOST_ROWS = 1024
"""of one call; a request with more goes alone, where there is nothing to gain"""
_INT64 = 2**63
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})

Form = tuple["Hashable", int]
"""what inputs must have in common to be joined, and the number of rows"""


def form_of(rows: Any) -> Form | None:
    """Return what these rows can be joined with; None: with nothing.

    Joined are lists (one item a row: a dict, list or tuple of plain values, or a plain value), NumPy arrays of two or
    more dimensions, and frames with the usual index. What differs in columns or types is never joined: a frame of both
    would have other types than either.
    """
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    found: Hashable = None
    if type(rows) is list:
        found = _form_of_list(rows)
    elif numpy is not None and type(rows) is numpy.ndarray:
        found = ("array", rows.dtype, rows.shape[1:]) if rows.ndim > 1 else None
    elif pandas is not None and type(rows) is pandas.DataFrame:
        found = _form_of_frame(rows)
    return (found, len(rows)) if found is not None and len(rows) else None


def _form_of_list(rows: list[Any]) -> Hashable:
    if len(rows) > MOST_ROWS:
        return None
    forms = tuple(dict.fromkeys(map(_form_of_row, rows)))  # a frame has its columns in the order in which they come
    return None if None in forms else ("list", forms)


def _form_of_row(row: Any) -> Hashable:
    if type(row) is dict:
        kinds = _kinds(row.values())
        return (dict, tuple(row), kinds) if kinds is not None else None
    if type(row) in (list, tuple):
        kinds = _kinds(row)
        return (type(row), kinds) if kinds is not None else None
    return _kinds((row,))


def _kinds(values: Collection[Any]) -> tuple[type, ...] | None:
    """Return the types of plain values, from which follow those of a column; None where they do not."""
    kinds = tuple(map(type, values))
    if not _PLAIN.issuperset(kinds):
        return None
    if int in kinds and not all(-_INT64 <= value < _INT64 for value in values if type(value) is int):
        return None  # a column with one larger has another type, whatever the others are
    return kinds


def _form_of_frame(frame: Any) -> Hashable:
    index = frame.index
    usual = type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1 and index.name is None
    if not usual or frame.attrs:
        return None
    return ("frame", tuple(frame.columns), tuple(frame.columns.names), tuple(frame.dtypes))


def join(inputs: Sequence[Any]) -> Any:
    """Return rows of one form in one input, which shares nothing that could be changed with any of them."""
    if isinstance(inputs[0], list):
        return [row.copy() if isinstance(row, (dict, list)) else row for rows in inputs for row in rows]
    if "numpy" in sys.modules and isinstance(inputs[0], sys.modules["numpy"].ndarray):
        return sys.modules["numpy"].concatenate(inputs)
    return sys.modules["pandas"].concat(inputs, ignore_index=True)


def split(prediction: Any, counts: Sequence[int]) -> list[Any] | None:
    """Return each request's part of a prediction; None when it has not one item for each row."""
    total = sum(counts)
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    bounds = list(pairwise(accumulate(counts, initial=0)))
    cut: Callable[[slice], Any]
    if isinstance(prediction, list) or (
        numpy is not None and isinstance(prediction, numpy.ndarray) and prediction.ndim > 0
    ):
        cut = prediction.__getitem__
    elif pandas is not None and isinstance(prediction, (pandas.DataFrame, pandas.Series)):
        cut = _cutter(prediction)
    else:
        return None
    return [cut(slice(*bound)) for bound in bounds] if len(prediction) == total else None


def _cutter(prediction: Any) -> Callable[[slice], Any]:
    """Cut a frame or a series; with the usual index, each part gets that of a prediction of its own."""
    usual = type(prediction.index).__name__ == "RangeIndex"
    return lambda part: prediction.iloc[part].reset_index(drop=True) if usual else prediction.iloc[part]
