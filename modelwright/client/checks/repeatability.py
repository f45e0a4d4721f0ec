"""The template is a function of the settings alone: two synths are equal, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.checks.report import Finding
from modelwright.client.deploys.synth import synthesize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.client.checks.report import Collector

TOOL = "repeatability"


def check_repeatability(root: Path, env: str, folder: Path, collector: Collector) -> None:
    """Synthesize twice, with another order of hashing and into another folder, and compare all files."""
    outdirs = [folder / "first", folder / "a-second-one"]
    for number, outdir in enumerate(outdirs, start=1):
        synthesize(root, env, outdir, {"PYTHONHASHSEED": str(number)})
    collector.add(TOOL, differences(*outdirs))


def differences(first: Path, second: Path) -> Iterator[Finding]:
    """Yield a finding for each file that is not the same in both folders."""
    ours, theirs = _files(first), _files(second)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            what = "differs between two synths" if name in ours and name in theirs else "is not made by every synth"
            yield Finding(TOOL, "bytes", name, what)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
