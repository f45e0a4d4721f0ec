"""A daemon is started: a process of its own, whose output is the log, and which says on a pipe whether it listens."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from modelwright.errors import LocalCloudFailed, StateUnusable
from modelwright.local.daemon.control import DIRECTORY, LOG_FILE

if TYPE_CHECKING:
    from pathlib import Path

_LOG_BYTES = 1_000_000


def start(root: Path, environment: str) -> bool:
    """Start a daemon; True when it listens, False when another one has the folder.

    Raises:
        StateUnusable: the folder cannot be written.
        LocalCloudFailed: it ended before it listened; its last words say why.
    """
    with _opened_log(root / DIRECTORY) as log:
        begin = log.tell()
        process, said = _first_words(root, environment, log)
    if said == b"listening\n":
        return True
    process.wait()
    if said != b"taken\n":
        raise LocalCloudFailed(f"The local cloud did not start: {_last_line(root / DIRECTORY / LOG_FILE, begin)}")
    return False


def _first_words(root: Path, environment: str, log: BinaryIO) -> tuple[subprocess.Popen[bytes], bytes]:
    """The started process and its line on the pipe; empty when it ended without one."""
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "modelwright.local.daemon", str(root.resolve()), environment, str(write_end)]
    with os.fdopen(read_end, "rb") as answer:
        try:
            process = subprocess.Popen(
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[write_end],
                start_new_session=True,  # Ctrl-C in the terminal is for the command, which then leaves
            )
        finally:
            os.close(write_end)
        return process, answer.readline()


def _opened_log(directory: Path) -> BinaryIO:
    try:
        directory.mkdir(exist_ok=True)
        _rotate(directory / LOG_FILE)
        return (directory / LOG_FILE).open("ab")
    except OSError as error:
        raise StateUnusable(
            f"{directory} cannot be written: {error.strerror}.",
            "The local cloud keeps its state there: make the folder writable, or free some space.",
        ) from error


def _environment() -> dict[str, str]:
    """The daemon's environment: without settings that lead boto3 to the user's own AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true"}


def _rotate(log: Path) -> None:
    with suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _last_line(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended without a word ({log})"
