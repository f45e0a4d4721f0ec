"""One run of wrk: a Lua script that posts a body and reports as JSON, and what is read from its output."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .server import Body

_MARK = "RESULT "
_TIMEOUT_SECONDS = 60
_SCRIPT = """\
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "{content_type}"
wrk.headers["Accept"] = "application/json"
done = function(summary, latency, requests)
  io.write(string.format(
    '{mark}{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "connect": %d, "read": %d, "write": %d, ' ..
    '"status": %d, "timeout": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.connect,
    summary.errors.read, summary.errors.write, summary.errors.status, summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Figures:
    """What one run says."""

    requests: int
    errors: int
    """connections, reads, writes, statuses of 400 and more, timeouts: with any, the rest is no result"""
    per_second: float
    p50_ms: float
    p99_ms: float


class WrkMissing(RuntimeError):  # noqa: N818  # named after the mistake
    """There is no wrk."""


def find() -> str:
    """Return where wrk is."""
    found = shutil.which("wrk")
    if found is None:
        raise WrkMissing(
            "wrk, which asks the servers, is not on the PATH. Install it: `sudo apt install wrk` on Debian."
        )
    return found


def write_script(folder: Path, body: Body) -> Path:
    """Write what wrk runs for this body."""
    content, script = folder / "body", folder / "post.lua"
    content.write_bytes(body.content)
    script.write_text(_SCRIPT.format(body=content, content_type=body.content_type, mark=_MARK))
    return script


def run(script: Path, url: str, clients: int, seconds: int) -> Figures:
    """Ask for so long, with so many connections."""
    timing = (f"-d{seconds}s", "--timeout", f"{_TIMEOUT_SECONDS}s")
    command = [find(), "-t1", f"-c{clients}", *timing, "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} exited {done.returncode}: {done.stderr}{done.stdout}")
    return parse(done.stdout)


def parse(output: str) -> Figures:
    """Read what the script's `done` wrote."""
    lines = [line.removeprefix(_MARK) for line in output.splitlines() if line.startswith(_MARK)]
    if len(lines) != 1:
        raise ValueError(f"wrk's output has {len(lines)} lines that begin with {_MARK!r}; it must have one:\n{output}")
    found = json.loads(lines[0])
    return Figures(
        requests=found["requests"],
        errors=sum(found[name] for name in ("connect", "read", "write", "status", "timeout")),
        per_second=found["requests"] / (found["microseconds"] / 1e6),
        p50_ms=found["p50"] / 1e3,
        p99_ms=found["p99"] / 1e3,
    )
