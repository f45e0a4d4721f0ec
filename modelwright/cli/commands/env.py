"""`modelwright env`: the variables with which any program of AWS's finds the local cloud."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_environment, environment_option, read_what_can_be_read
from modelwright.cli.render import print_json
from modelwright.errors import NotReady

if TYPE_CHECKING:
    import argparse

_UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""They would come before, or spoil, the keys."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = (
        'In a shell: eval "$(modelwright env)"; then `aws s3 ls`, boto3 and the like are about the local cloud.'
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; an error while the local cloud would not stay up for who uses what is printed."""
    from modelwright.local.daemon.attach import attach, status  # noqa: PLC0415 # not needed for `--help`

    project = read_what_can_be_read(args)
    found = status(project.root)
    if found is None or not found.kept:
        up = f"modelwright up{environment_option(args)}"
        raise NotReady("The local cloud does not stay up: what is printed would be about nothing.", f"First `{up}`.")
    with attach(project.root, args.env) as local:
        keys = local.credentials
        variables = {
            "AWS_ENDPOINT_URL": local.endpoint_url,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_REGION": project.environment.region,
            "AWS_DEFAULT_REGION": project.environment.region,
        }
    if args.json:
        print_json(variables)
        return 0
    print(f"unset {' '.join(_UNSET)}")
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0
