"""`modelwright up`: keep the local cloud running between commands."""

from __future__ import annotations

import argparse
import os

from modelwright.project import find_root


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--env", default=os.environ.get("MODELWRIGHT_ENV", "dev"), help="environments/<env>.yaml (default: dev)"
    )


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.client.synth import ensure_assembly  # noqa: PLC0415
    from modelwright.local.attach import attach  # noqa: PLC0415

    root = find_root()
    with attach(root, args.env) as local:
        local.deploy(ensure_assembly(root, args.env))
        local.keep()
        print(f"The local cloud is up at {local.endpoint_url}; `modelwright down` stops it.")
    return 0
