"""`modelwright deploy`: the stacks of an environment, on AWS."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_environment, environment_option, on_aws, read_project
from modelwright.errors import NotReady, WrongUsage

if TYPE_CHECKING:
    import argparse

    from modelwright.client.deploys.deploying import Result
    from modelwright.config import PipelineSettings, Project


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", nargs="*", help="only these, with what they need (default: all)")
    parser.add_argument("--yes", action="store_true", help="do not ask about new rights: for CI")
    parser.add_argument(
        "--import-existing",
        action="store_true",
        help="take a table, repository or package group that was kept when its stack went into the new stack",
    )
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when something that it needs is missing, or CloudFormation refuses."""
    project = read_project(args)
    wanted = chosen(project, args.pipeline)
    ask = not args.yes
    if ask and not sys.stdin.isatty():
        raise WrongUsage("There is no terminal to ask on, and a deploy gives roles rights.", "Give --yes to mean it.")
    from modelwright.client import cdk  # noqa: PLC0415 # not needed for `--help`
    from modelwright.client.deploys import deploying  # noqa: PLC0415 # not needed for `--help`
    from modelwright.client.removal.scaling import end_unwanted  # noqa: PLC0415 # as above

    session = on_aws(project.environment.region, environment_option(args))
    session.check_credentials()
    with cdk.one_deploy(project.root, args.env) as folder:
        assembly = deploying.make_assembly(project.root, args.env, folder)
        _examine(project, wanted, import_existing=args.import_existing)
        request = deploying.request_for(project, wanted, assembly, import_existing=args.import_existing)
        try:
            result = deploying.deploy_stacks(project, session, request, folder, ask=ask)
        except KeyboardInterrupt:
            missing = f"`modelwright diff --env {args.env}` shows what is missing."
            print(f"CloudFormation goes on with what it has begun; {missing}", file=sys.stderr)
            raise
        _print(result, args.env)
        for line in end_unwanted(session, args.env, wanted.values()):
            print(line)
        for pipeline, release in deploying.publish_defaults(session, project, wanted):
            print(f"{pipeline}: schedules and new data run release {release[:12]} from now on")
    print(f"`modelwright run {next(iter(wanted))} --aws --env {args.env}` runs it.")
    return 0


def chosen(project: Project, names: list[str]) -> dict[str, PipelineSettings]:
    """The pipelines that are named, or all; there is at least one."""
    found = {name: project.pipeline(name) for name in names} if names else dict(project.pipelines)
    if not found:
        raise WrongUsage("There is no pipeline in training_code/.", "`modelwright init my-model` makes one.")
    return found


def _examine(project: Project, wanted: dict[str, PipelineSettings], *, import_existing: bool) -> None:
    """Look at all that a deploy needs; what is not well is shown, and what would make it fail ends it here."""
    from modelwright.cli.commands.doctor import show  # noqa: PLC0415 # its findings, in its words
    from modelwright.client.doctor import examine_account  # noqa: PLC0415 # not needed for `--help`

    findings = examine_account(project, wanted, on_aws)
    taken_in = {"leftovers"} if import_existing else set()
    bad = [item for item in findings if item.level != "ok" and item.check not in taken_in]
    show(bad)
    if any(item.stops_a_deploy for item in bad):
        raise NotReady("Nothing was deployed: it would fail.", "Put the failures above right, then deploy again.")


def _print(result: Result, env: str) -> None:
    for stack, outputs in result.outputs.items():
        print(stack)
        for name, value in sorted(outputs.items()):
            print(f"  {name}  {value}")
    if not result.outputs:
        print(f"The stacks of {env} are as they should be.")
