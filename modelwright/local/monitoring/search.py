"""Search expressions: the part of them that dashboards of this project use.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .metrics import Metric

_WHOLE = re.compile(r"SEARCH\('\{(?P<schema>[^}]*)\}(?P<terms>[^']*)', '(?P<stat>\w+)'(?:, (?P<period>\d+))?\)")
_TERM = re.compile(r'\s*(?P<no>NOT )?(?P<key>\w+)="(?P<value>[^"]*)"')
_DEFAULT_PERIOD = 300


@dataclass(frozen=True)
class Search:
    """Which metrics are meant: those with exactly these dimensions, and these values."""

    namespace: str
    dimensions: frozenset[str]
    terms: tuple[tuple[bool, str, str], ...]
    """(wanted or not, dimension or `MetricName`, its exact value)."""
    statistic: str
    period: int

    def takes(self, metric: Metric) -> bool:
        """Whether the metric is one of them."""
        known = {**dict(metric.dimensions), "MetricName": metric.name}
        if metric.namespace != self.namespace or frozenset(dict(metric.dimensions)) != self.dimensions:
            return False
        return all((known.get(key) == value) is wanted for wanted, key, value in self.terms)


def parse_search(expression: str) -> Search:
    """Return what is searched for.

    Raises:
        ValueError: more than a schema, exact values, a statistic and a period.
    """
    whole = _WHOLE.fullmatch(expression)
    terms = list(_TERM.finditer(whole["terms"])) if whole else []
    if whole is None or "".join(term[0] for term in terms).strip() != whole["terms"].strip():
        form = """SEARCH('{namespace,dimension} key="value" NOT key="value"', 'stat', period)"""
        raise ValueError(f"{expression} is not searched for by the local cloud; {form} is.")
    namespace, *dimensions = whole["schema"].split(",")
    return Search(
        namespace,
        frozenset(dimensions),
        tuple((term["no"] is None, term["key"], term["value"]) for term in terms),
        whole["stat"],
        int(whole["period"] or _DEFAULT_PERIOD),
    )
