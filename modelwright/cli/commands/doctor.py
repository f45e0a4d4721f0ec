"""`modelwright doctor`: whether this machine, and with `--aws` the account, has what is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.commands.deploy import chosen
from modelwright.cli.platform import add_place, on_aws, read_project
from modelwright.cli.terminal import Terminal
from modelwright.project import find_root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from modelwright.client.doctor import Finding
    from modelwright.config import Project

POLICIES = ("run", "deploy", "produce", "export", "open", "later", "batch", "destroy")
_SIGNS = {"ok": ("ok     ", "32"), "warning": ("warning", "33"), "failure": ("FAILURE", "31")}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", nargs="*", help="only what these need (default: all)")
    parser.add_argument(
        "--policy", choices=POLICIES, help="instead: print the IAM policy that whoever does this needs, in JSON"
    )
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when something fails."""
    if args.policy:
        print(_policy(read_project(args), args.pipeline, args.policy))
        return 0
    from modelwright.client.doctor import examine_account, examine_machine  # noqa: PLC0415 # not needed for `--help`

    if not args.aws:
        findings = examine_machine(find_root(), args.env)
    else:
        project = read_project(args)
        findings = examine_account(project, chosen(project, args.pipeline), on_aws)
    show(findings)
    counts = {level: sum(item.level == level for item in findings) for level in _SIGNS}
    many = (f"{counts[level]} {level}{'s' * (counts[level] != 1)}" for level in ("warning", "failure"))
    print(f"{counts['ok']} ok, {', '.join(many)}")
    return 1 if counts["failure"] else 0


def _policy(project: Project, pipelines: list[str], which: str) -> str:
    """The policy of this environment and these pipelines; `ACCOUNT` where the settings name none."""
    import json  # noqa: PLC0415 # not needed for `--help`

    from modelwright.client import caller_policy  # noqa: PLC0415 # as above

    place = caller_policy.place_of(project.environment, tuple(chosen(project, pipelines)))
    return json.dumps(caller_policy.document(caller_policy.POLICIES[which](place)), indent=2)


def show(findings: Sequence[Finding]) -> None:
    """Print each on a line, with its next step below it."""
    terminal = Terminal()
    for item in findings:
        word, colour = _SIGNS[item.level]
        terminal.line(f"{terminal.colour(word, colour)}  {item.check}: {item.message}")
        if item.hint:
            terminal.line(f"         {item.hint}")
    terminal.flush()
