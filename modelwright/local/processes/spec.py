"""What a process is to be: the value that the launcher is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["job", "function", "server"]


@dataclass(frozen=True)
class ProcessSpec:
    """One process.

    `argv[0]` a Python -> it runs in a fork of the zygote, which has the libraries imported; anything else is
    executed. `env` is the whole environment, nothing is inherited. `root` is what the process sees as `/opt/ml`.
    `pass_fds` are open descriptors that the process gets as 3, 4, … in this order; the caller may close its own
    copies once `Launcher.start` has returned.
    """

    argv: list[str]
    env: dict[str, str]
    cwd: Path
    root: Path
    kind: Kind
    pass_fds: tuple[int, ...] = field(default=())

    def to_message(self) -> dict[str, Any]:
        """Return the part of it that is JSON."""
        return {
            "argv": self.argv,
            "env": self.env,
            "cwd": str(self.cwd),
            "root": str(self.root),
            "passed": len(self.pass_fds),
        }
