"""JSONPath expressions, each parsed once: moto makes a parser (1 ms) whenever it evaluates one."""

from __future__ import annotations

from functools import lru_cache

from jsonpath_ng.ext.parser import parse as _parse_extended
from jsonpath_ng.parser import parse as _parse

parse = lru_cache(maxsize=1024)(_parse)
parse_extended = lru_cache(maxsize=1024)(_parse_extended)
