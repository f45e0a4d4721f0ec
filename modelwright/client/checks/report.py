"""What the validators found, and what was accepted with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, order=True)
class Finding:
    """Something that a validator does not like, which nobody accepted."""

    tool: str
    id: str
    """The rule, exactly as an acceptance would have to name it."""
    where: str
    """`<stack>/<resource>`, or the stack."""
    message: str

    def __str__(self) -> str:
        """Return one line: where, what, and which rule of which tool says so."""
        return f"{self.where}: {self.message} ({self.tool} {self.id})"


@dataclass(frozen=True, order=True)
class Accepted:
    """A finding that is accepted on this one resource, and why."""

    tool: str
    id: str
    where: str
    reason: str

    def __str__(self) -> str:
        """Return one line: where, which rule, and why it is accepted."""
        return f"{self.where}: {self.tool} {self.id}: {self.reason}"


@dataclass(frozen=True, order=True)
class Measure:
    """What was counted, or computed as an upper bound, and the limit that it stays under."""

    what: str
    where: str
    found: int
    limit: int
    unit: str

    def __str__(self) -> str:
        """Return one line: where, what, and how much of it there may be."""
        return f"{self.where}: {self.what}: {self.found:,} of {self.limit:,} {self.unit}"


@dataclass(frozen=True)
class CheckReport:
    """The outcome of all validators of one environment."""

    findings: tuple[Finding, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    tools: tuple[str, ...] = ()
    """Each validator that ran, once."""
    measures: tuple[Measure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found that nobody accepted."""
        return not self.findings

    def summary(self) -> str:
        """Return one sentence: which validators ran, how much they found, how much of it is accepted."""
        found = f"{len(self.findings)} finding{'' if len(self.findings) == 1 else 's'}"
        return f"{', '.join(self.tools)}: {found}, {len(self.accepted)} accepted with a reason."


@dataclass
class Collector:
    """Gathers what the validators report; each may run in its own thread."""

    findings: list[Finding] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)

    def add(self, tool: str, findings: Iterable[Finding], accepted: Iterable[Accepted] = ()) -> None:
        """Note that `tool` ran, and what it said."""
        self.tools.append(tool)
        self.findings.extend(findings)
        self.accepted.extend(accepted)

    def measure(self, measure: Measure) -> None:
        """Note a bound that was computed."""
        self.measures.append(measure)

    def report(self) -> CheckReport:
        """Return everything in a stable order."""
        return CheckReport(
            tuple(sorted(self.findings)),
            tuple(sorted(self.accepted)),
            tuple(sorted(self.tools)),
            tuple(sorted(self.measures)),
        )
