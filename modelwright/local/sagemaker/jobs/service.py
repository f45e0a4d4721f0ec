"""SageMaker's training, processing and batch transform jobs: asked for, run as real processes, described, stopped.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from modelwright.contract import outcomes
from modelwright.local.sagemaker.jobs import permissions as job_permissions
from modelwright.local.sagemaker.jobs import requests as job_requests
from modelwright.local.sagemaker.jobs.logs import JobLog
from modelwright.local.sagemaker.jobs.problems import ClientProblem, ContainerFailure
from modelwright.local.sagemaker.jobs.process import GRACE_SECONDS, Stopped
from modelwright.local.sagemaker.jobs.processing import ProcessingFailure, ProcessingRun
from modelwright.local.sagemaker.jobs.record import ARN_KINDS, ENDED, JobRecord, arn, database_kind
from modelwright.local.sagemaker.jobs.training import TrainingRun
from modelwright.local.sagemaker.jobs.tree import JobTree, keep_newest
from modelwright.local.sagemaker.listing import page
from modelwright.local.sagemaker.tags import write_tags
from modelwright.local.sagemaker.transform import requests as job_transform_requests
from modelwright.local.sagemaker.transform.job import TransformFailure, TransformRun
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.registry.models import Models
    from modelwright.local.service import Call

    Work = TrainingRun | ProcessingRun | TransformRun

log = logging.getLogger(__name__)

NOT_YET = {"HyperParameterTuningJob": "hyperparameter tuning"}
"""kinds of jobs that AWS has and the local cloud does not yet"""
MOST_AT_ONCE = max(8, 2 * (os.cpu_count() or 1))
"""jobs that run at the same time; more of them wait in the status InProgress (Starting), as for machines on AWS"""
ABORT_SECONDS = 0.5
"""what a process is given to end by itself when the local cloud stops"""
INTERRUPTED = "InternalServerError: the local cloud was stopped or killed while this job ran"
_VERBS = ("Create", "Describe", "List", "Stop")


class Jobs:
    """The operations on jobs, and the jobs that run."""

    operations = frozenset(
        f"{verb}{kind}{'s' if verb == 'List' else ''}" for verb in _VERBS for kind in [*ARN_KINDS, *NOT_YET]
    )

    def __init__(self, cloud: Cloud, models: Models) -> None:
        """Keep jobs in the cloud's database and their trees under `.modelwright/jobs`."""
        self._cloud = cloud
        self._models = models
        self._trees = cloud.directory / "jobs"
        self._lock = threading.RLock()
        self._running: dict[tuple[str, str], _Running] = {}
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="job")
        self._stopping = False

    def start(self) -> None:
        """Mark jobs that an earlier daemon left running as failed: their processes are gone."""
        for kind in ARN_KINDS:
            for _, description in self._cloud.database.all(database_kind(kind)):
                if description[f"{kind}Status"] not in ENDED:
                    JobRecord(self._cloud, kind, description).end("Failed", FailureReason=INTERRUPTED)
        keep_newest(self._trees, set())

    def stop(self) -> None:
        """End every job that runs, recorded as failed with the reason, and wait for their ends."""
        with self._lock:
            self._stopping = True
            running = list(self._running.values())
        for each in running:
            each.stop(ABORT_SECONDS)
        self._threads.shutdown(wait=True)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        verb, kind = _split(call.operation)
        if kind in NOT_YET:
            raise AwsError(
                "ValidationException",
                f"{call.operation}: the local cloud does not do {NOT_YET[kind]} yet",
            )
        if verb == "Create":
            return self._create(kind, call.params)
        if verb == "Describe":
            return self._describe(kind, call.params[f"{kind}Name"])
        if verb == "Stop":
            return self._stop(kind, call.params[f"{kind}Name"])
        return self._list(kind, call.params)

    def wait(self, kind: str, name: str, timeout: float | None = None) -> dict[str, Any] | None:
        """Wait until the job has ended and return its description; None when it has not within the timeout.

        `kind` is TrainingJob, ProcessingJob or TransformJob. AwsError when there is no such job.
        """
        with self._lock:
            running = self._running.get((kind, name))
        if running is not None and not running.record.ended.wait(timeout):
            return None
        return self._describe(kind, name)

    def _create(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        name = params[f"{kind}Name"]
        if kind == "TransformJob":
            job_transform_requests.check(params)
            self._models.get(params["ModelName"])
        else:
            job_requests.check(kind, params)
            application = params["AlgorithmSpecification" if kind == "TrainingJob" else "AppSpecification"]
            job_permissions.check_image(application.get("TrainingImage") or application["ImageUri"])
            job_permissions.check_trust(self._cloud, params["RoleArn"], arn(self._cloud, kind, name))
        with self._lock:
            if self._stopping:
                raise AwsError("InternalFailure", "the local cloud is being stopped", 500)
            if self._find(kind, name) is not None:
                raise AwsError(
                    "ResourceInUse",
                    f"{_spoken(kind)} names must be unique within an AWS account and region, "
                    f"and a job with this name already exists ({arn(self._cloud, kind, name)})",
                )
            record = JobRecord.new(self._cloud, kind, params)
            write_tags(self._cloud.database, record.arn, params.get("Tags", []))
            record.save()
            running = self._running[kind, name] = _Running(
                self._cloud, self._models, record, JobTree(self._trees, _tree(kind, name))
            )
            self._threads.submit(self._run, running).add_done_callback(_report)
        return {f"{kind}Arn": record.arn}

    def _run(self, running: _Running) -> None:
        record = running.record
        try:
            running.run()
        except Exception as error:
            log.exception("the job %s ended by a fault of the local cloud", record.name)
            record.end("Failed", FailureReason=f"InternalServerError: {type(error).__name__}: {error}"[:1024])
        finally:
            with self._lock:
                del self._running[record.kind, record.name]
                names = {each.tree.folder.name for each in self._running.values()}
        if record.status == "Failed":
            keep_newest(self._trees, names)
        else:
            running.tree.remove()

    def _describe(self, kind: str, name: str) -> dict[str, Any]:
        found = self._find(kind, name)
        if found is None:
            raise AwsError("ValidationException", "Requested resource not found.")
        return found

    def _find(self, kind: str, name: str) -> dict[str, Any] | None:
        return self._cloud.database.get(database_kind(kind), name)

    def _stop(self, kind: str, name: str) -> dict[str, Any]:
        with self._lock:
            running = self._running.get((kind, name))
        if running is None:
            status = self._describe(kind, name)[f"{kind}Status"]
            raise AwsError(
                "ValidationException",
                f"The request was rejected because the {_spoken(kind).lower()} is in status {status}.",
            )
        if running.record.stopping():
            running.stop(GRACE_SECONDS)
        return {}

    def _list(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        found = [body for _, body in self._cloud.database.all(database_kind(kind))]
        wanted = params.get("StatusEquals")
        kept = [_summary(kind, body) for body in found if wanted in (None, body[f"{kind}Status"])]
        shown, more = page(kept, params, f"{kind}Name", "Descending", f"{kind}Status")
        return {f"{kind}Summaries": shown, **more}


class _Running:
    """One job while it runs."""

    def __init__(self, cloud: Cloud, models: Models, record: JobRecord, tree: JobTree) -> None:
        self.record = record
        self.tree = tree
        self._cloud = cloud
        self._models = models
        self._lock = threading.Lock()
        self._work: Work | None = None
        self._aborted = False
        self._told_to_stop = False

    def run(self) -> None:
        """Do the job's work and write down how it ended."""
        record = self.record
        try:
            gained = self._begin().run()
        except Stopped as stopped:
            self._end_stopped(timed_out=stopped.timed_out)
        except ClientProblem as problem:
            record.end("Failed", FailureReason=outcomes.client_error(str(problem)))
        except ContainerFailure as failure:
            record.end("Failed", FailureReason=outcomes.algorithm_error(str(failure)))
        except (ProcessingFailure, TransformFailure) as failure:
            record.end("Failed", FailureReason=str(failure), **self._exit_message())
        else:
            record.end("Completed", **gained)

    def stop(self, grace_seconds: float) -> None:
        """End it; a grace of ABORT_SECONDS is the local cloud's own end."""
        with self._lock:
            self._aborted = self._aborted or grace_seconds <= ABORT_SECONDS
            self._told_to_stop = True
            work = self._work
        if work is not None:
            (work if isinstance(work, TransformRun) else work.container).stop(grace_seconds)

    def _begin(self) -> Work:
        work = self._make()
        with self._lock:
            if self._told_to_stop:
                raise Stopped(timed_out=False)
            self._work = work
            return work

    def _make(self) -> Work:
        record = self.record
        if record.kind == "TransformJob":
            return TransformRun(self._cloud, self._models, record, self.tree)
        kind = TrainingRun if record.kind == "TrainingJob" else ProcessingRun
        job = record.describe()
        metrics = job.get("AlgorithmSpecification", {}).get("MetricDefinitions", [])
        output = JobLog(self._cloud, record.kind, record.name, job["RoleArn"], metrics)
        return kind(self._cloud, record, self.tree, output)

    def _end_stopped(self, *, timed_out: bool) -> None:
        if self._aborted:
            self.record.end("Failed", FailureReason=INTERRUPTED)
        elif timed_out:
            self.record.end("Stopped", "MaxRuntimeExceeded")
        else:
            self.record.end("Stopped")

    def _exit_message(self) -> dict[str, Any]:
        return self._work.exit_message() if isinstance(self._work, ProcessingRun) else {}


def _report(done: Future[None]) -> None:
    """A job's thread tells nobody of its end: what could not even be written down is in the daemon's log."""
    if (error := done.exception()) is not None:
        log.error("the end of a job was not written down", exc_info=error)


def _split(operation: str) -> tuple[str, str]:
    verb = next(verb for verb in _VERBS if operation.startswith(verb))
    kind = operation.removeprefix(verb)
    return verb, kind.removesuffix("s") if verb == "List" else kind


def _spoken(kind: str) -> str:
    return {"TrainingJob": "Training job", "ProcessingJob": "Processing job", "TransformJob": "Transform job"}[kind]


def _tree(kind: str, name: str) -> str:
    """All kinds may use one name at the same time."""
    return name if kind == "TrainingJob" else f"{name}.{kind.removesuffix('Job').lower()}"


def _summary(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    members = [f"{kind}Name", f"{kind}Arn", "CreationTime", f"{kind}EndTime", "LastModifiedTime", f"{kind}Status"]
    more = {
        "TrainingJob": ["TrainingEndTime", "SecondaryStatus"],
        "ProcessingJob": ["ProcessingEndTime", "FailureReason", "ExitMessage"],
        "TransformJob": ["TransformEndTime", "FailureReason"],
    }
    return {member: body[member] for member in [*members, *more[kind]] if member in body}
