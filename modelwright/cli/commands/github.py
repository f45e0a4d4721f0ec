"""`modelwright github`: the workflow with which GitHub publishes a pipeline's merges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_environment, read_project
from modelwright.errors import NameTaken, NoCredentials, WrongUsage

if TYPE_CHECKING:
    import argparse

    from modelwright.config import Project

_FOLDER = Path(".github", "workflows")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument(
        "--role", metavar="ARN", help="the role that GitHub takes (default: what the deployed stack says)"
    )
    parser.add_argument("--force", action="store_true", help="write the file anew where it is there and different")
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.client.github import Workflow  # noqa: PLC0415 # as above
    from modelwright.client.releases.git import toplevel  # noqa: PLC0415 # not needed for `--help`

    project = read_project(args)
    triggers = project.pipeline(args.pipeline).triggers
    if triggers.merge_github is None:
        hint = "triggers.merge: {github: owner/repository} in its pipeline.yaml makes them do; then deploy it."
        raise WrongUsage(f"Merges of {args.pipeline} do not come from GitHub.", hint)
    top, folder = toplevel(project.root)
    workflow = Workflow(
        args.pipeline,
        args.env,
        project.environment.region,
        triggers.merge_github,
        triggers.merge_branch,
        args.role or _deployed_role(project, args.pipeline),
        folder,
    )
    _write(top / _FOLDER / workflow.file_name, workflow.text(), force=args.force)
    print(_FOLDER / workflow.file_name)
    print(f"Commit it: each push to {workflow.branch} that changes training_code/{args.pipeline} publishes it.")
    return 0


def _deployed_role(project: Project, pipeline: str) -> str:
    """The role's ARN as the stack on AWS says it: GitHub cannot reach the local cloud."""
    from modelwright.client.deployment import find_deployment  # noqa: PLC0415 # as above
    from modelwright.client.github import github_role  # noqa: PLC0415 # as above
    from modelwright.client.session import Session  # noqa: PLC0415 # as above

    session = Session(project.environment.region)
    try:
        session.check_credentials()
    except NoCredentials as error:
        hint = f"{error.hint} Or name it: `--role ARN`, the output GitHubRoleArn of the stack."
        raise NoCredentials("The role's ARN is asked of AWS, and no credentials were found.", hint) from None
    return github_role(find_deployment(session, project.environment.name, pipeline))


def _write(path: Path, text: str, *, force: bool) -> None:
    if path.exists() and path.read_text("utf-8") != text and not force:
        raise NameTaken(
            f"{_FOLDER / path.name} is there and different; nothing was changed.", "--force writes it anew."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
