"""What an examination found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings, Project
    from modelwright.config.environment import EnvironmentSettings

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: one sentence, and the next step when something is to be done."""

    check: str
    level: Level
    message: str
    hint: str | None = None
    blocks: bool = True
    """Of a failure: whether a deploy cannot succeed. Else it is the first run that cannot."""

    @property
    def stops_a_deploy(self) -> bool:
        """Whether a deploy would fail, too."""
        return self.level == "failure" and self.blocks


@dataclass(frozen=True)
class Examination:
    """What every check gets."""

    project: Project
    session: Session
    account: str
    pipelines: Mapping[str, PipelineSettings]
    """Those that are asked about, by name."""

    @property
    def settings(self) -> EnvironmentSettings:
        """The environment's settings."""
        return self.project.environment

    @property
    def qualifier(self) -> str:
        """The qualifier of the CDK bootstrap: `hnb659fds` is CDK's own default."""
        return self.settings.qualifier or "hnb659fds"


def ok(check: str, message: str) -> Finding:
    """Say that something is as it has to be."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, hint: str | None = None) -> Finding:
    """Say that something is not as it should be, or could not be looked at."""
    return Finding(check, "warning", message, hint)


def failure(check: str, message: str, hint: str, *, blocks: bool = True) -> Finding:
    """Say that something is not as it has to be, and the next step."""
    return Finding(check, "failure", message, hint, blocks)
