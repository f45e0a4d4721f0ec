"""`python -m modelwright.serving --model-dir DIR [--archive FILE] [--packages DIR] [--host HOST] [--port N]`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelwright.serving.problems import StartupError
from modelwright.serving.process.server import Parent, Place, refuse, run
from modelwright.serving.settings import bind_port, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAVE_SECONDS = 2
"""for what a script has to be done at the end"""
CONTAINER_MODEL = PurePosixPath("/opt/ml/model")


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run the server; return the exit code."""
    environment = os.environ if environment is None else environment
    options = _parser().parse_args(arguments)
    parent = Parent(options.notify_fd)
    try:
        settings = settings_from(environment)
        port = bind_port(environment) if options.port is None else options.port
        code = code_directory(environment.get("SAGEMAKER_SUBMIT_DIRECTORY", ""), options.model_dir)
    except StartupError as error:
        refuse(error, parent)
        return 1
    return run(settings, Place(options.model_dir, code, options.archive, options.host, port, options.packages), parent)


def code_directory(submit_directory: str, model_dir: Path) -> Path:
    """Return where the script lies: SAGEMAKER_SUBMIT_DIRECTORY, whose `/opt/ml/model` is `model_dir` here."""
    if not submit_directory:
        return model_dir / "code"
    if "://" in submit_directory:
        raise StartupError(
            f"SAGEMAKER_SUBMIT_DIRECTORY is {submit_directory}; the code must lie in the model archive, under code/: "
            "set it to /opt/ml/model/code."
        )
    path = PurePosixPath(submit_directory)
    if path.is_relative_to(CONTAINER_MODEL):
        return model_dir / path.relative_to(CONTAINER_MODEL)
    return Path(submit_directory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m modelwright.serving", description="Serve one model over HTTP.")
    parser.add_argument("--model-dir", type=Path, required=True, help="the unpacked model; its script lies in code/")
    parser.add_argument("--archive", type=Path, help="a model.tar.gz to unpack into --model-dir first")
    parser.add_argument(
        "--packages", type=Path, help="where code/requirements.txt is installed; default: code/.packages"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, help="0 takes a free one; default: SAGEMAKER_BIND_TO_PORT, else 8080")
    parser.add_argument("--notify-fd", type=int, help="an open descriptor that gets one JSON line: ready, or why not")
    return parser


def leave(code: int) -> None:
    """End the process, also when a thread that the model has started does not: SIGKILL would come next."""
    timer = threading.Timer(LEAVE_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()
    sys.exit(code)


if __name__ == "__main__":
    leave(main())
