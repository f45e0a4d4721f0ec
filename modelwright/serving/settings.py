"""What the model server is told by its environment, in SageMaker's names and a few of our own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.serving.http.media import JSON
from modelwright.serving.problems import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping

INVOKE_BODY_BYTES = 6_291_456
"""The largest body of InvokeEndpoint, in and out (BodyBlob):
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""

MOST_WORKERS = 256
MOST_PORT = 65_535
MOST_BODY_BYTES = 2**31 - 1
MOST_SECONDS = 24 * 3600
LONGEST_NUMBER = 20
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
SERVE = ("auto", "python", "framework", "onnx")


@dataclass(frozen=True)
class Settings:
    """How one model server behaves."""

    program: str = "inference.py"
    """the script under `code/` (SAGEMAKER_PROGRAM)"""
    default_accept: str = JSON
    """what `*/*` and a missing Accept mean (SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT)"""
    max_body_bytes: int = INVOKE_BODY_BYTES
    timeout_seconds: float = 60.0
    """for a whole request, as SageMaker waits for it:
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
    serve: str = "auto"
    """`auto`: a compiled model where the folder holds one, else the script; `python`, `onnx`; `framework`: that
    as AWS's image calls it, one request at a time (MODELWRIGHT_SERVE)"""
    workers: int | None = None
    """processes that serve (MODELWRIGHT_WORKERS); None: one for each core, or one where the model cannot be forked"""
    expected_sha256: str | None = None
    """the archive's hash; with it, no other archive is unpacked (MODELWRIGHT_MODEL_SHA256)"""
    expected_files: str | None = None
    """the hash of the unpacked files; with it, no script beside others is run (MODELWRIGHT_FILES_SHA256)"""


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings; StartupError names the variable that is wrong."""
    return Settings(
        program=environment.get("SAGEMAKER_PROGRAM") or Settings.program,
        default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON,
        max_body_bytes=_whole(environment, "MODELWRIGHT_MAX_BODY_BYTES", Settings.max_body_bytes, 1, MOST_BODY_BYTES),
        timeout_seconds=_seconds(environment, "MODELWRIGHT_REQUEST_TIMEOUT_SECONDS", Settings.timeout_seconds),
        serve=_serve(environment.get("MODELWRIGHT_SERVE") or "auto"),
        workers=_workers(environment.get("MODELWRIGHT_WORKERS", "")),
        expected_sha256=environment.get("MODELWRIGHT_MODEL_SHA256", "").lower() or None,
        expected_files=environment.get("MODELWRIGHT_FILES_SHA256", "").lower() or None,
    )


def bind_port(environment: Mapping[str, str]) -> int:
    """Return the port that SageMaker names (SAGEMAKER_BIND_TO_PORT), 8080 without one."""
    return _whole(environment, "SAGEMAKER_BIND_TO_PORT", 8080, 0, MOST_PORT)


def cores() -> int:
    """Return how many cores this process may use: those of its affinity, and no more than its container's quota.

    https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max). One where processes cannot be forked safely (macOS).
    """
    if not hasattr(os, "sched_getaffinity"):
        return 1
    found = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_MAX.read_text("ascii").split()
        return found if quota == "max" else max(1, min(found, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        return found


def _workers(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_WORKERS):
        raise StartupError(f"MODELWRIGHT_WORKERS is {text!r}; it must be a whole number from 1 to {MOST_WORKERS}.")
    return int(text)


def _serve(text: str) -> str:
    if text not in SERVE:
        raise StartupError(f"MODELWRIGHT_SERVE is {text!r}; it must be {', '.join(SERVE)}.")
    return text


def _whole(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER and least <= int(text) <= most):
        raise StartupError(f"{name} is {text!r}; it must be a whole number from {least} to {most}.")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST_SECONDS:
        raise StartupError(f"{name} is {text!r}; it must be a number greater than 0, at most {MOST_SECONDS}.")
    return value
