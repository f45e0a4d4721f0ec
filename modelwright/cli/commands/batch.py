"""`modelwright batch`: ask the model about whole files, as a SageMaker batch transform job."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.batch_following import Following, Work, columns, tags
from modelwright.cli.platform import Platform, add_place, platform, read_project
from modelwright.client.batch import input as batch_input
from modelwright.client.batch import job as batch_job
from modelwright.client.batch import progress as batch_progress
from modelwright.client.batch import request as batch_request
from modelwright.client.batch.model import BatchModel, ensure_model, find_model
from modelwright.errors import NotSupported, WrongUsage

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment

_SERVICES = ("cloudformation", "dynamodb", "logs", "s3", "sagemaker")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--input", metavar="WHAT", help="s3://bucket/folder/, or a file or folder here: .csv or .jsonl")
    what.add_argument("--resume", metavar="JOB", help="go on with a job that ended early: files without an output")
    parser.add_argument(
        "--join", action=argparse.BooleanOptionalAction, default=True, help="each record before its answer (default)"
    )
    parser.add_argument(
        "--payload-mb",
        type=_payload,
        default=batch_request.PAYLOAD_MB,
        metavar="N",
        help="what is sent at once (default: 6)",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="also download the outputs")
    parser.add_argument("--json", action="store_true", help="the result as one JSON document")
    add_place(parser)


def _payload(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= batch_request.MOST_MB:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {batch_request.MOST_MB}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    project = read_project(args)
    pipeline = project.pipeline(args.pipeline)
    if pipeline.batch is None:
        raise NotSupported(
            f"training_code/{args.pipeline}/pipeline.yaml has no `batch`.",
            "Write `batch: {instance: ml.m5.large}` into it: jobs get a role of their own, which needs a deploy.",
        )
    if args.output is not None and args.output.exists() and not args.output.is_dir():
        raise WrongUsage(f"--output {args.output} is no folder.")
    with platform(args, project, services=_SERVICES) as place:
        deployment = place.deployment(args.pipeline)
        model = find_model(place.session, deployment, pipeline, place.environment)
        work = _resumed(args, place, deployment) if args.resume else _new(args, place, deployment, model)
        if not work.files:
            print(f"{args.resume}: every file has its output in {work.job.output}", file=sys.stderr)
        return Following(args, place, model, work).run()


def _new(args: argparse.Namespace, place: Platform, deployment: Deployment, model: BatchModel) -> Work:
    settings = place.pipeline(args.pipeline).batch
    if settings is None:
        raise AssertionError(args.pipeline)
    session = place.session
    given = batch_input.read_input(session, deployment, args.input, columns(model))
    ensure_model(session, deployment, model, place.project.environment, tags(place, args.pipeline))
    s3 = session.client("s3")
    batch_input.upload(s3, given)
    job = batch_job.new_job(deployment, place.environment)
    wish = batch_request.Wish(args.join, args.payload_mb, deployment.key_arn)
    request = batch_request.request(job, given, model.name, settings, wish)
    return Work(
        job, given, given.files, batch_request.reading(request, batch_request.put_manifest(s3, job, given, given.files))
    )


def _resumed(args: argparse.Namespace, place: Platform, deployment: Deployment) -> Work:
    """Take what the job before left undone: its model, its settings, and the files that have no output."""
    session = place.session
    job = batch_job.next_attempt(deployment, place.environment, args.resume)
    before = batch_job.describe(session, batch_job.previous_name(job))
    if before["TransformJobStatus"] not in batch_job.ENDED:
        raise WrongUsage(
            f"{before['TransformJobName']} is {before['TransformJobStatus']}; it can be resumed when it has ended."
        )
    s3 = session.client("s3")
    given = batch_request.input_of(session, job, before)
    done = batch_progress.outputs(s3, job, given.files)
    left = tuple(file for file in given.files if file.name not in done)
    request = batch_request.again(before, job)
    if left:
        request = batch_request.reading(request, batch_request.put_manifest(s3, job, given, left))
    return Work(job, given, left, request)
