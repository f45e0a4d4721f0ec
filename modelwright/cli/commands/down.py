"""`modelwright down`: stop the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.project import find_root

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--force", action="store_true", help="even while another command uses it: what runs is stopped")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.local.daemon.attach import shut_down  # noqa: PLC0415

    stopped = shut_down(find_root(), force=args.force)
    print("The local cloud is down." if stopped else "The local cloud was not up.")
    return 0
