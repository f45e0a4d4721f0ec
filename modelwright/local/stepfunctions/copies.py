"""Copies of JSON values, in place of `copy.deepcopy`: moto copies the input and the context at each look at them."""

from __future__ import annotations

import copy
from typing import Any


class JsonCopies:
    """Stands where moto's modules have the module `copy`. What is not JSON is copied as before."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        """Copy a value; JSON's types have no cycles, and text and numbers need no copy."""
        kind = type(value)
        if kind is dict:
            return {key: JsonCopies.deepcopy(each) for key, each in value.items()}
        if kind is list:
            return [JsonCopies.deepcopy(each) for each in value]
        if kind is str or kind is int or kind is float or kind is bool or value is None:
            return value
        return copy.deepcopy(value)
