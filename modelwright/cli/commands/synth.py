"""`modelwright synth`: write cdk.out; `--check` runs all validators on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.platform import add_environment
from modelwright.project import find_root

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="with all validators: of resources, policies, requests, sizes, limits and lifetimes (docs/checks.md)",
    )
    parser.add_argument("--accepted", action="store_true", help="with --check: also what is accepted, with its reason")
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when a validator finds something."""
    root = find_root()
    if not args.check:
        from modelwright.client.deploys.synth import ensure_assembly  # noqa: PLC0415 # not needed for `--help`

        print(ensure_assembly(root, args.env))
        return 0
    from modelwright.client.checks import run_checks  # noqa: PLC0415 # heavy

    report = run_checks(root, args.env)
    for finding in report.findings:
        print(finding)
    if args.accepted:
        for accepted in report.accepted:
            print(accepted)
    for measure in report.measures:
        print(measure)
    print(report.summary())
    return 0 if report.ok else 1
