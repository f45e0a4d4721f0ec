"""`modelwright synth`: write cdk.out; `--check` runs all validators on it."""

from __future__ import annotations

import argparse
import os

from modelwright.project import find_root


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="with all validators: CDK, cdk-nag, cfn-lint, checkov, botocore, quotas, repeatability",
    )
    parser.add_argument(
        "--env", default=os.environ.get("MODELWRIGHT_ENV", "dev"), help="environments/<env>.yaml (default: dev)"
    )


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when a validator finds something."""
    root = find_root()
    if not args.check:
        from modelwright.client.synth import ensure_assembly  # noqa: PLC0415

        print(ensure_assembly(root, args.env))
        return 0
    from modelwright.client.checks import run_checks  # noqa: PLC0415

    report = run_checks(root, args.env)
    for line in report.lines():
        print(line)
    return 0 if report.passed else 1
