"""A stand-in for the CDK command line: a script that the real Node.js runs, and that writes down how it was called."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.cdk import find_cdk

if TYPE_CHECKING:
    import pytest

_SCRIPT = """
const fs = require("fs");
const said = %s;
const args = process.argv.slice(2);
const variables = {AWS_REGION: process.env.AWS_REGION, telemetry: process.env.CDK_DISABLE_CLI_TELEMETRY};
fs.appendFileSync(said.log, JSON.stringify({args, variables}) + "\\n");
const file = args.indexOf("--outputs-file");
if (file >= 0 && said.outputs) fs.writeFileSync(args[file + 1], JSON.stringify(said.outputs));
process.stdout.write(said.prints);
process.exitCode = said.code;
"""


@dataclass(frozen=True)
class FakeCdk:
    """What it was called with, oldest first."""

    log: Path

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def arguments(self) -> list[str]:
        (call,) = self.calls
        return list(call["args"])


def fake_cdk(
    root: Path, monkeypatch: pytest.MonkeyPatch, *, code: int = 0, prints: str = "", outputs: Any = None
) -> FakeCdk:
    """Put the script where npm would have installed the real one."""
    monkeypatch.setattr("modelwright.client.cdk._install", lambda _: None)
    log = root / "cdk-calls"
    said = {"log": str(log), "code": code, "prints": prints, "outputs": outputs}
    script = Path(find_cdk(root)[1])
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_SCRIPT % json.dumps(said))
    return FakeCdk(log)
