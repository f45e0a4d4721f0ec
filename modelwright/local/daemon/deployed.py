"""What was deployed last, kept beside the state: each start makes the same again, whatever `cdk.out` holds by then.

Environments of one region live side by side, each from an assembly of its own: one takes the place of another when they
have a stack in common.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError, StateUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelwright.local.cloud import Cloud

_log = logging.getLogger(__name__)
_KIND = "deployed"


def deploy(cloud: Cloud, assembly: Path, revive: Sequence[str] = ()) -> dict[str, Any]:
    """Deploy an assembly and remember it; which stacks were created, updated, unchanged."""
    kept = _keep(cloud, assembly)
    report = _cloudformation(cloud).deploy(kept, revive)
    stacks = sorted({*report.created, *report.updated, *report.unchanged})
    for other, before in cloud.database.all(_KIND):
        if set(before.get("stacks", stacks)) & set(stacks):  # before it was kept, there was one assembly
            cloud.database.delete(_KIND, other)
    about = {"stacks": stacks, "region": cloud.region, "from": str(assembly), "at": cloud.clock.time()}
    cloud.database.put(_KIND, kept.name, about)
    return {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}


def deploy_again(cloud: Cloud) -> None:
    """Deploy what was deployed before the last stop, if anything was.

    What cannot be deployed any more (by a newer modelwright, say) does not keep the local cloud from starting: a deploy
    of what there is now may follow, and whoever needs a stack that is missing is told so.
    """
    last = sorted(cloud.database.all(_KIND), key=lambda found: found[1].get("at", 0.0))
    kept = {_folder(cloud) / body.get("fingerprint", name): body.get("region", cloud.region) for name, body in last}
    for other in _folder(cloud).iterdir() if last and _folder(cloud).is_dir() else ():
        if other not in kept:  # not at a deploy: functions that it left as they were run from the older copy
            shutil.rmtree(other)
    for assembly, region in kept.items():
        if region == cloud.region:  # the others wait until the local cloud is their region again
            _make_again(cloud, assembly)


def _make_again(cloud: Cloud, kept: Path) -> None:
    if not kept.is_dir():
        _log.error("%s is gone: what was deployed before is not made again", kept)
        return
    try:
        _cloudformation(cloud).deploy(kept)
    except ModelwrightError:
        _log.exception("what was deployed before cannot be deployed again")


def fingerprint(assembly: Path) -> str:
    """SHA-256 over the names and contents of all files of an assembly."""
    whole = hashlib.sha256()
    for file in sorted(path for path in assembly.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            whole.update(f"{file.relative_to(assembly).as_posix()}\0".encode())
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()


def _keep(cloud: Cloud, assembly: Path) -> Path:
    """A copy of the assembly under its fingerprint: what deploys and later starts read."""
    kept = _folder(cloud) / fingerprint(assembly)
    if not kept.is_dir():
        temporary = kept.with_suffix(".new")
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            shutil.copytree(assembly, temporary)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)  # what is full has room again
            raise StateUnusable(
                f"{assembly} cannot be copied to {kept.parent}: {_first_reason(error)}.",
                "Free some space there, or make it writable; nothing that was written before is lost.",
            ) from None
        temporary.rename(kept)
    return kept


def _first_reason(error: OSError) -> str:
    """Of a tree, `shutil` tells source, target and reason of each file that it could not copy."""
    found = error.args[0][0][2] if isinstance(error, shutil.Error) else str(error)
    return str(found).partition(": ")[0]


def _folder(cloud: Cloud) -> Path:
    return cloud.directory / "deployed"


def _cloudformation(cloud: Cloud) -> Any:
    return cloud.services["cloudformation"]
