"""`modelwright batch`: ask the model about whole files, as a SageMaker batch transform job."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.cli.platform import Platform, add_place, platform, read_project
from modelwright.cli.render import print_json
from modelwright.cli.terminal import Terminal
from modelwright.client import batch_input, batch_job, batch_progress, batch_request
from modelwright.client.batch_model import BatchModel, ensure_model, find_model
from modelwright.client.batch_trouble import explain
from modelwright.errors import BatchFailed, NotSupported, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.cli.model_schema import ModelColumns
    from modelwright.client.batch_heads import File
    from modelwright.client.batch_input import BatchInput
    from modelwright.client.batch_job import Job
    from modelwright.client.batch_progress import Progress
    from modelwright.client.deployment import Deployment

_SERVICES = ("cloudformation", "dynamodb", "logs", "s3", "sagemaker")
_DIM = "2"


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


@dataclass(frozen=True)
class _Work:
    """One job and what it reads now."""

    job: Job
    given: BatchInput
    files: tuple[File, ...]
    """those that are still to do"""
    request: dict[str, Any]


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
        return _Following(args, place, model, work).run()


def _new(args: argparse.Namespace, place: Platform, deployment: Deployment, model: BatchModel) -> _Work:
    settings = place.pipeline(args.pipeline).batch
    if settings is None:
        raise AssertionError(args.pipeline)
    session = place.session
    given = batch_input.read_input(session, deployment, args.input, _columns(model))
    ensure_model(session, deployment, model, place.project.environment, _tags(place, args.pipeline))
    s3 = session.client("s3")
    batch_input.upload(s3, given)
    job = batch_job.new_job(deployment, place.environment)
    wish = batch_request.Wish(args.join, args.payload_mb, deployment.key_arn)
    request = batch_request.request(job, given, model.name, settings, wish)
    return _Work(
        job, given, given.files, batch_request.reading(request, batch_request.put_manifest(s3, job, given, given.files))
    )


def _resumed(args: argparse.Namespace, place: Platform, deployment: Deployment) -> _Work:
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
    return _Work(job, given, left, request)


def _columns(model: BatchModel) -> ModelColumns | None:
    from modelwright.cli.model_schema import read_columns  # noqa: PLC0415 - of this command alone

    return read_columns(model.schema) if model.schema else None


def _tags(place: Platform, pipeline: str) -> dict[str, str]:
    own = {"modelwright:environment": place.environment, "modelwright:pipeline": pipeline}
    return {**place.project.environment.tags, **own}


class _Following:
    """Runs one job to its end and tells about it."""

    def __init__(self, args: argparse.Namespace, place: Platform, model: BatchModel, work: _Work) -> None:
        self._args = args
        self._place = place
        self._model = model
        self._work = work
        self._terminal = Terminal(sys.stderr)
        self._progress: Progress | None = None

    def run(self) -> int:
        """Start the job, follow it, tell the result; Ctrl-C stops it."""
        work = self._work
        description: dict[str, Any] = {"TransformJobStatus": "Completed"}
        if work.files:
            batch_job.start(self._place.session, work.request, _tags(self._place, self._args.pipeline))
            self._say(
                f"batch job {work.job.name}: {_inputs(work.files)} of {self._args.pipeline} with {self._model.run}"
            )
            description = self._follow()
        return self._result(description)

    def _follow(self) -> dict[str, Any]:
        work, session = self._work, self._place.session
        settings = self._place.pipeline(self._args.pipeline).batch
        limit = settings.max_runtime_seconds if settings else 0
        began, stopped = time.monotonic(), False
        description: dict[str, Any] = {}
        try:
            for progress, found in batch_progress.follow(session, work.job, work.given, work.files):
                self._progress, description = progress, found
                self._terminal.draw(f"  {_live(progress)}", _DIM)
                if not stopped and time.monotonic() - began > limit:
                    stopped = True  # a transform job has no limit of its own
                    batch_job.stop(session, work.job.name)
                    self._say(f"it has run for {limit} s (batch.max_runtime_seconds): stopped")
        except KeyboardInterrupt:
            self._terminal.clear()
            print(f"stopping {work.job.name}; Ctrl-C again to leave at once", file=sys.stderr)
            batch_job.stop(session, work.job.name)
            for self._progress, _ in batch_progress.follow(session, work.job, work.given, work.files):
                pass
            print(self._how_to_go_on(), file=sys.stderr)
            raise
        finally:
            self._terminal.clear()
        return description

    def _result(self, description: dict[str, Any]) -> int:
        work, session = self._work, self._place.session
        s3, status = session.client("s3"), str(description["TransformJobStatus"])
        done = batch_progress.outputs(s3, work.job, work.given.files)
        saved = _download(s3, work.job, done, self._args.output) if self._args.output else []
        absent = [file.name for file in work.files if file.name not in done]
        if self._args.json:
            print_json(self._document(status, description, sorted(done), absent))
        elif done:
            self._tell(len(done), saved)
        if status == "Completed" and not absent:
            return 0
        raise self._failure(status, description, absent)

    def _tell(self, files: int, saved: list[Path]) -> None:
        found = self._progress
        if found:
            print(f"{_rows(found)}{found.files_done} of {found.files} files in {found.seconds:.1f} s{_rate(found)}")
        print(f"{files} {_plural(files, 'output')}: {self._work.job.output}")
        if saved:
            print(f"downloaded: {self._args.output}")

    def _document(self, status: str, description: dict[str, Any], done: list[str], absent: list[str]) -> dict[str, Any]:
        found = self._progress
        return {
            "job": self._work.job.name,
            "status": status,
            "reason": description.get("FailureReason"),
            "model": self._model.package,
            "output": self._work.job.output,
            "files": done,
            "missing": absent,
            "rows": found.rows_done if found and found.rows_counted else None,
            "seconds": round(found.seconds, 3) if found else None,
        }

    def _failure(self, status: str, description: dict[str, Any], absent: Sequence[str]) -> BatchFailed:
        work = self._work
        if status == "Completed":  # https://github.com/boto/boto3/issues/2044
            first = f"SageMaker says that {work.job.name} is completed, but {len(absent)} of its outputs are not there"
            return BatchFailed(f"{first}: {', '.join(absent[:5])}.", self._how_to_go_on())
        reason = description.get("FailureReason")
        lines = [f"The batch job {work.job.name} is {status}{f': {reason}' if reason else '.'}"]
        if "See job logs" in (reason or ""):
            undone = [file for file in work.files if file.name in set(absent)]
            lines += explain(self._place.session, work.job.name, work.given, undone, _columns(self._model))
        return BatchFailed("\n  ".join(lines), self._how_to_go_on())

    def _how_to_go_on(self) -> str:
        options, name = self._place.session.options, self._work.job.name
        again = (
            f"`modelwright batch {self._args.pipeline} --resume {name}{options}` does the files that have no output."
        )
        local = any(file.path is not None for file in self._work.given.files)
        return again + (" It reads what was uploaded: give a corrected file again, as --input." if local else "")

    def _say(self, text: str) -> None:
        self._terminal.clear()
        print(text, file=sys.stderr)


def _download(s3: Any, job: Job, done: dict[str, str], folder: Path) -> list[Path]:
    """Write the outputs into the folder, each whole or not at all."""
    saved = []
    for name, key in sorted(done.items()):
        target = folder / f"{name}.out"
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        body = s3.get_object(Bucket=job.bucket, Key=key)["Body"]
        with part.open("wb") as file:
            for block in body.iter_chunks(1 << 20):
                file.write(block)
        part.replace(target)
        saved.append(target)
    return saved


def _inputs(files: Sequence[File]) -> str:
    size = sum(file.size - file.skip for file in files)
    return f"{len(files)} {_plural(len(files), 'file')}, {_size(size)}"


def _live(found: Progress) -> str:
    done = f"{found.files_done} of {found.files} files, {_size(found.bytes_done)} of {_size(found.bytes)}"
    return f"{found.status}: {_rows(found)}{done}, {found.seconds:.0f} s{_rate(found)}"


def _rows(found: Progress) -> str:
    if found.rows_done is None:
        return ""
    return f"{'' if found.rows_counted else 'about '}{found.rows_done:,} rows, "


def _rate(found: Progress) -> str:
    rate = found.rows_per_second
    return f", {rate:,.0f} rows/s" if rate else ""


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
