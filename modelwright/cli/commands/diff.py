"""`modelwright diff`: what a deploy would change on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.commands.deploy import chosen
from modelwright.cli.platform import add_environment, environment_option, on_aws, read_project
from modelwright.errors import DeployFailed

if TYPE_CHECKING:
    import argparse

CHANGES = 3
"""The exit code with `--exit-code`: neither well (0) nor failed (1), as of `git diff --exit-code`."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", nargs="*", help="only these, with what they need (default: all)")
    parser.add_argument(
        "--exit-code", action="store_true", help=f"exit with {CHANGES} when a deploy would change something"
    )
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when it cannot be found out."""
    project = read_project(args)
    wanted = chosen(project, args.pipeline)
    from modelwright.client import cdk  # noqa: PLC0415 # not needed for `--help`
    from modelwright.client.deploys import deploying  # noqa: PLC0415 # not needed for `--help`

    session = on_aws(project.environment.region)
    session.check_credentials()
    session.client("sts").get_caller_identity()  # expired keys are said by us, in a sentence
    with cdk.one_deploy(project.root, args.env) as folder:
        assembly = deploying.make_assembly(project.root, args.env, folder)
        changed = cdk.diff(project.root, deploying.request_for(project, wanted, assembly))
    if changed is None:
        hint = f"`modelwright doctor --aws{environment_option(args)}` looks at everything that this needs."
        raise DeployFailed("What a deploy would change is not known: what CDK says stands above.", hint)
    print(f"A deploy would change {changed} of the stacks." if changed else "A deploy would change nothing.")
    return CHANGES if changed and args.exit_code else 0
