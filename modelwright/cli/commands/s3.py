"""`modelwright s3`: what lies in the local cloud's S3: data, models, reports, captured requests, answers."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_environment, platform, read_what_can_be_read
from modelwright.cli.render import clock
from modelwright.client import objects

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("ls", help="buckets, or what lies below an address")
    listing.add_argument("address", nargs="?", help="s3://bucket/key-or-its-beginning; none: the buckets")
    listing.add_argument("-r", "--recursive", action="store_true", help="every object, folders opened")
    printing = actions.add_parser("cat", help="print an object")
    printing.add_argument("address", help="s3://bucket/key")
    copying = actions.add_parser(
        "cp", help="copy an object, or a folder (s3://bucket/prefix/), to a file or folder here"
    )
    copying.add_argument("address", help="s3://bucket/key, or s3://bucket/prefix/ for all below")
    copying.add_argument("target", type=Path, help="a file or folder here")
    for each in (listing, printing, copying):
        add_environment(each)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    every_bucket = args.address is None or (args.action == "ls" and args.address == "s3://")
    address = None if every_bucket else objects.parse(args.address)
    here = Namespace(env=args.env, aws=False)
    with platform(here, read_what_can_be_read(here), services=("s3",)) as place:
        if args.action == "ls":
            found = objects.entries(place.session, address, recursive=args.recursive) if address else None
            _list(objects.buckets(place.session) if found is None else found)
        elif address and args.action == "cat":
            sys.stdout.flush()
            shutil.copyfileobj(objects.body(place.session, address), sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif address:
            for path in objects.fetch(place.session, address, args.target):
                print(path)
    return 0


def _list(entries: Iterable[objects.Entry]) -> None:
    nothing = True
    for entry in entries:
        nothing = False
        size = "" if entry.size is None else f"{entry.size:,}"
        print(f"{clock(entry.modified):<19}  {size:>12}  {entry.address}")
    if nothing:
        print("Nothing lies there.", file=sys.stderr)
