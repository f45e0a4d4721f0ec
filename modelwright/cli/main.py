"""`modelwright`: find the command, run it, say what went wrong in the user's words."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from modelwright import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

# command -> what it does; the module of the same name in `commands` is imported only when it is asked for
COMMANDS = {
    "run": "release the folder, start an execution, watch it, print the result",
    "runs": "what ran",
    "show": "one run, state by state: time, inputs, outputs, reason of failure",
    "logs": "what a run's scripts printed, or with --endpoint what serves the model",
    "predict": "ask the deployed model",
    "open": "a page in the browser on which a person can try the model",
    "batch": "ask the model about whole files: a batch transform job",
    "export": "the model as files for elsewhere: ONNX, its schema, a report",
    "release": "write the release of a folder, print its id",
    "emit": "send an event: what a merge, a schedule or new data do",
    "inbox": "messages and dead letters of every environment that runs here",
    "dashboard": "a pipeline's dashboard as a picture, and which alarms are on",
    "s3": "what lies in the local S3: data, models, captured requests, answers",
    "env": "the variables with which `aws`, boto3 and others find the local cloud",
    "up": "keep the local cloud running between commands",
    "down": "stop the local cloud",
    "status": "what is up and deployed",
    "deploy": "to AWS: look at what it needs, show new rights, deploy, publish what schedules run",
    "diff": "what a deploy would change on AWS",
    "doctor": "whether this machine, and with --aws the account, has what is needed",
    "synth": "write cdk.out; --check runs all validators",
    "github": "write the workflow with which GitHub publishes a pipeline's merges",
    "init": "a new folder in training_code/ that runs at once",
    "destroy": "endpoint, models and stack gone, data kept",
}
FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130
_WRONG_INPUT = (
    errors.BundleError,
    errors.CommitNotFound,
    errors.DataNotFound,
    errors.EnvironmentNotFound,
    errors.InvalidInput,
    errors.InvalidName,
    errors.InvalidOverride,
    errors.NameTaken,
    errors.NotARepository,
    errors.NotSupported,
    errors.PipelineNotFound,
    errors.ProjectNotFound,
    errors.RunNotFound,
    errors.SettingsError,
    errors.StateNotFound,
    errors.WrongUsage,
)
_GARBAGE_THRESHOLD = 50_000
"""A command is over before collecting pays: with Python's 700 it takes 50 ms of each start"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 well, 1 failed, 2 wrong input, 130 interrupted."""
    gc.set_threshold(_GARBAGE_THRESHOLD)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # both are TextIOWrappers in a command
    interrupt = Interrupt()
    for number in (signal.SIGINT, signal.SIGTERM):  # a cancelled CI job gets the other one
        signal.signal(number, interrupt)
    sys.exit(run(sys.argv[1:] if argv is None else list(argv)))


class Interrupt:
    """What Ctrl-C does: the first one lets the command stop what it started, a second one leaves at once."""

    def __init__(self) -> None:
        self._came = False

    def __call__(self, *_: object) -> None:
        """Handle the signal."""
        if self._came:
            os.write(2, b"\n")
            os._exit(INTERRUPTED)  # the local cloud notices, and stops what nobody else needs
        self._came = True
        raise KeyboardInterrupt


def run(argv: list[str]) -> int:
    """Run one command and return its exit code; what went wrong is one message on standard error."""
    try:
        try:
            code = _run(argv)
        finally:
            sys.stdout.flush()  # here and not at the interpreter's end, where nobody could say what is wrong with it
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what reads our output has gone: not an error
        return FAILED
    except errors.ModelwrightError as error:
        return _say(error)
    except Exception as error:
        from modelwright.client.problems import explain  # noqa: PLC0415 # needs botocore

        known = explain(error)
        if known is None:
            raise
        return _say(known)
    return code


def _run(argv: list[str]) -> int:
    name = next((item for item in argv if not item.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        near = errors.nearest(name, COMMANDS)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {errors.names(COMMANDS)}."
        raise errors.WrongUsage(f"There is no command {name!r}.", hint)
    parser = _parser(name)
    if not argv:
        parser.print_help(sys.stderr)
        return WRONG_INPUT
    args = parser.parse_args(argv)
    return int(importlib.import_module(f"modelwright.cli.commands.{args.command}").run(args))


def _say(error: errors.ModelwrightError) -> int:
    print(f"error: {error}", file=sys.stderr)
    return WRONG_INPUT if isinstance(error, _WRONG_INPUT) else FAILED


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelwright",
        description="Machine-learning pipelines on AWS as code; the same template runs whole on this machine.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        child = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == command:
            importlib.import_module(f"modelwright.cli.commands.{name}").configure(child)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version  # noqa: PLC0415 # takes as long as all the rest of `--help`

        print(f"modelwright {version('modelwright')}")
        parser.exit()
