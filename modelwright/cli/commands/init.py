"""`modelwright init`: a new pipeline folder that runs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.project import find_root

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="the pipeline's name: lower-case letters, digits and dashes, at most 20")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.cli.scaffold import scaffold  # noqa: PLC0415

    root = find_root()
    for path in scaffold(root, args.name):
        print(path.relative_to(root))
    print(f"modelwright run {args.name}")
    return 0
