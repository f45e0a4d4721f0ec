"""One batch job from its start to its end: shown while it runs, stopped by Ctrl-C, told when it has ended."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.cli.batch_words import inputs, live, plural, rate, rows
from modelwright.cli.render import print_json
from modelwright.cli.terminal import Terminal
from modelwright.client.batch import job as batch_job
from modelwright.client.batch import progress as batch_progress
from modelwright.client.batch.trouble import explain
from modelwright.errors import BatchFailed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from modelwright.cli.model_schema import ModelColumns
    from modelwright.cli.platform import Platform
    from modelwright.client.batch.heads import File
    from modelwright.client.batch.input import BatchInput
    from modelwright.client.batch.job import Job
    from modelwright.client.batch.model import BatchModel
    from modelwright.client.batch.progress import Progress

_DIM = "2"


@dataclass(frozen=True)
class Work:
    """One job and what it reads now."""

    job: Job
    given: BatchInput
    files: tuple[File, ...]
    """those that are still to do"""
    request: dict[str, Any]


def columns(model: BatchModel) -> ModelColumns | None:
    """The columns that a model's schema names; None for one without a schema."""
    from modelwright.cli.model_schema import read_columns  # noqa: PLC0415 - of this command alone

    return read_columns(model.schema) if model.schema else None


def tags(place: Platform, pipeline: str) -> dict[str, str]:
    """What a job, and the model it makes, are tagged with."""
    own = {"modelwright:environment": place.environment, "modelwright:pipeline": pipeline}
    return {**place.project.environment.tags, **own}


class Following:
    """Runs one job to its end and tells about it."""

    def __init__(self, args: argparse.Namespace, place: Platform, model: BatchModel, work: Work) -> None:
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
            batch_job.start(self._place.session, work.request, tags(self._place, self._args.pipeline))
            self._say(
                f"batch job {work.job.name}: {inputs(work.files)} of {self._args.pipeline} with {self._model.run}"
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
                self._terminal.draw(f"  {live(progress)}", _DIM)
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
            print(f"{rows(found)}{found.files_done} of {found.files} files in {found.seconds:.1f} s{rate(found)}")
        print(f"{files} {plural(files, 'output')}: {self._work.job.output}")
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
            lines += explain(self._place.session, work.job.name, work.given, undone, columns(self._model))
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
