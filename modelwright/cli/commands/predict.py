"""`modelwright predict`: ask the deployed model."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from modelwright.cli.platform import add_place, platform
from modelwright.client.endpoint import ask
from modelwright.errors import ModelwrightError

_TYPES = {".csv": "text/csv", ".json": "application/json", ".npy": "application/x-npy"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--file", type=Path, help="rows as .csv, .json or .npy; - reads CSV from standard input")
    what.add_argument("--row", help='one row as JSON: \'{"species": "Adelie", …}\'')
    parser.add_argument("--content-type", help="what the file holds, when its name does not say")
    parser.add_argument("--accept", default="application/json", help="the answer's type (default: application/json)")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    body, content_type = _body(args)
    with platform(args) as place:
        answer = ask(place.session, place.deployment(args.pipeline), body, content_type, args.accept)
    sys.stdout.buffer.write(answer.rstrip(b"\n") + b"\n" if not args.accept.endswith("npy") else answer)
    return 0


def _body(args: argparse.Namespace) -> tuple[bytes, str]:
    if args.row is not None:
        try:
            json.loads(args.row)
        except json.JSONDecodeError as error:
            raise ModelwrightError(
                f"--row is not JSON: {error}.", hint='For example --row \'{"species": "Adelie"}\'.'
            ) from None
        return args.row.encode(), args.content_type or "application/json"
    if str(args.file) == "-":
        return sys.stdin.buffer.read(), args.content_type or "text/csv"
    content_type = args.content_type or _TYPES.get(args.file.suffix.lower())
    if content_type is None:
        raise ModelwrightError(
            f"{args.file}: its ending says no type.", hint=f"Known are {', '.join(_TYPES)}; or give --content-type."
        )
    try:
        return args.file.read_bytes(), content_type
    except OSError as error:
        raise ModelwrightError(f"{args.file} cannot be read: {error.strerror}.") from None
