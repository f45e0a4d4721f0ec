"""`modelwright predict`: ask the deployed model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.cli.terminal import Terminal
from modelwright.client.endpoints.prediction import Question, ask
from modelwright.errors import DataNotFound, NotSupported, PredictionFailed, WrongUsage

if TYPE_CHECKING:
    import argparse

    from modelwright.cli.platform import Platform

_TYPES = {".csv": "text/csv", ".json": "application/json", ".npy": "application/x-npy"}
_BINARY = "application/x-npy"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--file", help="rows as .csv, .json or .npy; - reads CSV from standard input")
    what.add_argument("--row", help='one row as JSON: \'{"species": "Adelie", …}\'')
    parser.add_argument("--content-type", help="what the file holds, when its name does not say")
    parser.add_argument("--accept", default="application/json", help="the answer's type (default: application/json)")
    parser.add_argument("--model", help="which of several models behind the endpoint")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    body, content_type = _body(args)
    project = read_what_can_be_read(args)
    kind = project.pipeline(args.pipeline).deploy.endpoint
    is_later = kind == "async"
    if is_later and args.model:
        raise WrongUsage(f"--model {args.model}: {args.pipeline} has one model behind its asynchronous endpoint.")
    services = ("cloudformation", "s3", "sagemaker-runtime") if is_later else ("cloudformation", "sagemaker-runtime")
    with platform(args, project, services=services) as place:
        question = Question(body, content_type, args.accept, args.model)
        try:
            answer = (_ask_later if is_later else _ask)(place, args.pipeline, question)
        except PredictionFailed as error:
            raise (_nobody_answers(args.pipeline, place) if kind == "none" else error) from None
        sys.stdout.flush()
        sys.stdout.buffer.write(answer if args.accept == _BINARY else answer.rstrip(b"\n") + b"\n")
        sys.stdout.buffer.flush()
    return 0


def _nobody_answers(pipeline: str, place: Platform) -> NotSupported:
    options = place.session.options
    return NotSupported(
        f"{pipeline} has deploy.endpoint: none, so nothing waits for requests.",
        f"`modelwright batch {pipeline} --input FILE{options}` asks its model about whole files, "
        f"`modelwright export {pipeline} --to onnx{options}` takes it elsewhere.",
    )


def _ask(place: Platform, pipeline: str, question: Question) -> bytes:
    return ask(place.session, place.deployment(pipeline), question)


def _ask_later(place: Platform, pipeline: str, question: Question) -> bytes:
    """Ask an asynchronous endpoint; one without machines starts some meanwhile, here in minutes that are shorter."""
    from modelwright.client.endpoints.async_prediction import ask_later  # noqa: PLC0415 # only where it is needed

    deployment, terminal = place.deployment(pipeline), Terminal(sys.stderr)
    if place.local is not None:
        place.local.rehearse(deployment.endpoint_name)
    try:
        return ask_later(
            place.session, deployment, question, lambda where: terminal.draw(f"  … waiting for {where}", "2")
        )
    finally:
        terminal.clear()
        terminal.flush()


def _body(args: argparse.Namespace) -> tuple[bytes, str]:
    if args.row is not None:
        return _row(args.row), args.content_type or "application/json"
    if args.file == "-":
        return sys.stdin.buffer.read(), args.content_type or "text/csv"
    path = Path(args.file)
    content_type = args.content_type or _TYPES.get(path.suffix.lower())
    if content_type is None:
        raise WrongUsage(
            f"--file {path}: its ending says no type.", f"Known are {', '.join(_TYPES)}; or give --content-type."
        )
    try:
        return path.read_bytes(), content_type
    except OSError as error:
        raise DataNotFound(f"--file {path} cannot be read: {error.strerror}.") from None


def _row(text: str) -> bytes:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise WrongUsage(f"--row is not JSON: {error}.", 'For example --row \'{"species": "Adelie"}\'.') from None
    return text.encode()
