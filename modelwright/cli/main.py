"""`modelwright`: find the command, run it, say what went wrong in the user's words."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Sequence

# command -> what it does; the module of the same name in `commands` is imported only when it is asked for
COMMANDS = {
    "run": "release the folder, start an execution, watch it, print the result",
    "runs": "what ran",
    "show": "one run, state by state: time, inputs, outputs, reason of failure",
    "logs": "what a run's scripts printed",
    "predict": "ask the deployed model",
    "release": "write the release of a folder, print its id",
    "emit": "send an event: what a merge or a schedule does",
    "inbox": "messages and dead letters",
    "up": "keep the local cloud running between commands",
    "down": "stop the local cloud",
    "status": "what is up and deployed",
    "synth": "write cdk.out; --check runs all validators",
    "init": "a new folder in training_code/ that runs at once",
    "destroy": "endpoint, models and stack gone, data kept",
}
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 well, 1 failed, 2 wrong input, 130 interrupted."""
    args = sys.argv[1:] if argv is None else list(argv)
    sys.exit(_run(args))


def _run(argv: list[str]) -> int:
    name = next((item for item in argv if not item.startswith("-")), None)
    parser = _parser(name if name in COMMANDS else None)
    if not argv:
        parser.print_help()
        return 2
    args = parser.parse_args(argv)
    module = importlib.import_module(f"modelwright.cli.commands.{args.command}")
    try:
        return int(module.run(args))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what reads our output has gone: not an error
        return 1
    except ModelwrightError as error:
        return _say(error)
    except Exception as error:
        from modelwright.client.session import explain  # noqa: PLC0415 - needs botocore

        known = explain(error)
        if known is None:
            raise
        return _say(known)


def _say(error: ModelwrightError) -> int:
    print(f"error: {error}", file=sys.stderr)  # its text ends with the hint
    return getattr(error, "exit_code", 1)


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelwright",
        description="Machine-learning pipelines on AWS as code; the same template runs whole on this machine.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        child = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == command:
            importlib.import_module(f"modelwright.cli.commands.{name}").configure(child)
    return parser
