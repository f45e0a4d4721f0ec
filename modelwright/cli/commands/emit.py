"""`modelwright emit`: do what a merge, a schedule or new data do, follow the execution that its rule starts."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.following import follow
from modelwright.cli.platform import add_place, environment_option, platform, read_project
from modelwright.cli.render import print_json
from modelwright.client.runs import events
from modelwright.errors import NotSupported, WrongUsage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from modelwright.cli.platform import Platform
    from modelwright.client.deployment import Deployment
    from modelwright.client.runs.new_data import Counted
    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings, Project
    from modelwright.local.daemon.lease import LocalCloud

_SERVICES = ("cloudformation", "s3", "events", "stepfunctions")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("event", choices=("merge", "schedule", "data"))
    parser.add_argument("pipeline")
    parser.add_argument("data", nargs="*", help="data: files, or a folder (default: the data in the pipeline's folder)")
    parser.add_argument("--commit", metavar="SHA", help="merge: the folder as it is at this commit (default: HEAD)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when the execution fails."""
    project = read_project(args)
    settings = project.pipeline(args.pipeline)
    if args.event == "data":
        return _data(args, project, settings)
    if args.data:
        raise WrongUsage(f"Files are for `emit data`: what is {args.data[0]} for?")
    if args.event == "schedule":
        _check_schedule(args, settings.triggers.schedule)
    elif args.aws and settings.triggers.merge_codecommit:
        where = f"{settings.triggers.merge_branch} of {settings.triggers.merge_codecommit}"
        hint = f"`modelwright run {args.pipeline} --aws{environment_option(args)}` starts an execution now."
        raise NotSupported(f"On AWS a push to {where} in CodeCommit is the merge: git push.", hint)
    with platform(args, project, deploy=args.pipeline, services=_SERVICES) as place:
        deployment = place.deployment(args.pipeline)
        if args.event == "merge" and settings.triggers.merge_codecommit:
            arn = _push(place, deployment, settings, args.commit)
        else:
            event = _merge(place, deployment, args.commit) if args.event == "merge" else _schedule(place, deployment)
            arn = events.started_by(place.session, deployment, event)
        return follow(place.session, args.pipeline, arn, as_json=args.json)


def _data(args: argparse.Namespace, project: Project, settings: PipelineSettings) -> int:
    """Put files where a producer would, each time into a folder of its own; what they start is followed."""
    from modelwright.client.releases import publishing  # noqa: PLC0415 # not needed for the other events
    from modelwright.client.runs import new_data  # noqa: PLC0415 # not needed for the other events

    if args.commit:
        raise WrongUsage("--commit is for `emit merge`: new data run the default release.")
    files = new_data.collect(settings, [Path(each) for each in args.data])
    with platform(args, project, deploy=args.pipeline, services=(*_SERVICES, "dynamodb")) as place:
        deployment = place.deployment(args.pipeline)
        name = datetime.now(UTC).strftime("emitted-%Y%m%dT%H%M%S%fZ")
        delivery = new_data.make_delivery(settings, deployment, files, name)
        if place.local:
            publishing.ensure_default(place.session, project, settings, deployment)
        before = new_data.last_started(place.session, deployment)
        objects = new_data.deliver(place.session, delivery)
        what = "1 file is" if len(delivery.files) == 1 else f"{len(delivery.files)} files are"
        print(f"{what} in {delivery.uri}", file=sys.stderr)
        if delivery.marker:
            with data_stay(place.session.options):
                arn = new_data.started_by_marker(place.session, deployment, delivery.bucket, objects[-1][0])
            return follow(place.session, args.pipeline, arn, as_json=args.json)
        every = settings.triggers.data_every_records or 0
        with data_stay(place.session.options):
            found = new_data.counted(place.session, deployment, delivery.bucket, objects, every=every, before=before)
        for problem in found.problems:
            print(f"not counted: {problem}", file=sys.stderr)
        if found.execution:
            return follow(place.session, args.pipeline, found.execution, as_json=args.json)
        _print_waiting(found, settings, as_json=args.json)
        return 1 if found.problems else 0


@contextmanager
def data_stay(options: str) -> Iterator[None]:
    """Say, when Ctrl-C comes between the data and the run that they start, that they are there all the same."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"the data are there, and may have started a run: `modelwright runs{options}` shows it", file=sys.stderr)
        raise


def _print_waiting(found: Counted, settings: PipelineSettings, *, as_json: bool) -> None:
    every = settings.triggers.data_every_records
    if as_json:
        print_json({"records": found.records, "waiting": found.waiting, "every_records": every})
    else:
        print(f"{found.records} new records; {found.waiting} of {every} wait for a run.")


def _check_schedule(args: argparse.Namespace, schedule: str | None) -> None:
    if args.commit:
        raise WrongUsage("--commit is for `emit merge`: a schedule runs the default release.")
    if args.aws:
        raise NotSupported(
            "On AWS a schedule fires by itself.",
            f"`modelwright run {args.pipeline} --aws{environment_option(args)}` starts an execution now.",
        )
    if not schedule:
        raise WrongUsage(f"No schedule starts {args.pipeline}.", "triggers.schedule in its pipeline.yaml sets one.")


def _merge(place: Platform, deployment: Deployment, commit: str | None) -> str:
    """Release the folder as the commit has it, and announce the merge as the shared workflow would."""
    from modelwright.client.releases import publishing  # noqa: PLC0415 # the local cloud starts meanwhile

    settings = place.pipeline(deployment.pipeline)
    found = _commit(place, settings, commit)
    session = _as_github(place, deployment) if settings.triggers.merge_github else place.session
    release = publishing.publish_commit(session, place.project, settings, deployment, found)
    branch = settings.triggers.merge_branch
    return events.send_merge(session, deployment, branch=branch, commit=found, release=release)


def _as_github(place: Platform, deployment: Deployment) -> Session:
    """Whose rights a merge is published with: on this machine those of GitHub's workflow, on AWS the user's own."""
    from modelwright.client.github import take_role  # noqa: PLC0415 # as above

    triggers = place.pipeline(deployment.pipeline).triggers
    if place.local is None:
        repository, branch = triggers.merge_github, triggers.merge_branch
        print(f"note: a push to {branch} of {repository} does this; sent with your own credentials", file=sys.stderr)
        return place.session
    token = place.local.github_token(str(triggers.merge_github), triggers.merge_branch)
    return take_role(place.session, deployment, token)


def _commit(place: Platform, settings: PipelineSettings, commit: str | None) -> str:
    """The commit that is merged; whoever named none is told of changes that are in none."""
    from modelwright.client.releases import git  # noqa: PLC0415 # as above

    found = git.resolve_commit(place.project.root, commit or "HEAD")
    if commit is None and not git.folder_state(settings.folder).clean:
        what = f"training_code/{settings.name} has changes that are not committed"
        print(f"note: {what}; the merge is of {found[:7]}, without them", file=sys.stderr)
    return found


def _push(place: Platform, deployment: Deployment, settings: PipelineSettings, commit: str | None) -> str:
    """Let CodeCommit tell of a push; the execution that the Lambda `publish_merge` starts by what it reads there."""
    local, triggers = place.local, settings.triggers
    if local is None:
        raise NotSupported("On AWS a push to CodeCommit is the merge.")
    found = _commit(place, settings, commit)
    push = local.push(str(triggers.merge_codecommit), triggers.merge_branch, found)
    return events.published_by(place.session, deployment, push, lambda: _refusal(local, push))


def _refusal(local: LocalCloud, push: str) -> str | None:
    """What was told of a push that starts nothing: the function's message, or that its event was given up."""
    inbox = local.inbox()
    for message in inbox["messages"]:
        text, _, rest = str(message["message"]).partition(f"(event {push})")
        if text != message["message"]:
            return text.strip() + rest
    if any(push in str(letter["body"]) for letter in inbox["dead_letters"]):
        return f"The push {push} is a dead letter: see `modelwright inbox`, and the log of publish_merge."
    return None


def _schedule(place: Platform, deployment: Deployment) -> str:
    """Fire the rule now; its default release is the one that a deploy published."""
    from modelwright.client.releases import publishing  # noqa: PLC0415 # as above

    if place.local is None:
        raise NotSupported("On AWS a schedule fires by itself.")
    publishing.ensure_default(place.session, place.project, place.pipeline(deployment.pipeline), deployment)
    return place.local.fire_schedule(deployment.state_machine_arn)
