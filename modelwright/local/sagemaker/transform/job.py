"""A batch transform job from its objects to their outputs: real servers of the model, asked with mini-batches.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from modelwright.local.s3 import Digests
from modelwright.local.sagemaker.jobs.logs import DataLog, JobLog
from modelwright.local.sagemaker.jobs.outputs import Outputs
from modelwright.local.sagemaker.jobs.permissions import lend_volume_key
from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.jobs.process import Stopped, container_path, role_environment
from modelwright.local.sagemaker.transform.inputs import Source, Sources
from modelwright.local.sagemaker.transform.paths import parse
from modelwright.local.sagemaker.transform.records import CSV, Processing, RecordProblem, mini_batches
from modelwright.local.sagemaker.transform.requests import PAYLOAD_MB, media_type
from modelwright.local.sagemaker.transform.servers import AnswerProblem, Asking, Containers, plan_container
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.jobs.record import JobRecord
    from modelwright.local.sagemaker.jobs.tree import JobTree
    from modelwright.local.sagemaker.registry.models import Models

MOST_SERVERS = max(2, os.cpu_count() or 1)
"""processes of one job, however many instances and concurrent transforms it asks for"""
_AHEAD = 2
"""payloads that are read ahead for each that is being answered: what bounds the memory"""


class TransformFailure(Exception):  # noqa: N818 - it becomes FailureReason as it is
    """Some object was not transformed; the text is FailureReason, the job's data log says more."""


class TransformRun:
    """One batch transform job's work, in the order in which AWS does it."""

    def __init__(self, cloud: Cloud, models: Models, record: JobRecord, tree: JobTree) -> None:
        self._cloud = cloud
        self._models = models
        self._record = record
        self._tree = tree
        self._job: dict[str, Any] = record.describe()
        self._role = _role_of(models, self._job["ModelName"])
        self._log = JobLog(cloud, record.kind, record.name, self._role)
        self._data_log = DataLog(cloud, record.kind, record.name, self._role)
        asking = Asking.of(self._job)
        self.container = Containers(cloud.launcher, cloud.objects, tree.folder / "servers", self._log.line, asking)
        self._halted = threading.Event()

    def run(self) -> dict[str, Any]:
        """Do it all; returns what the description gains. Raises ClientProblem, ContainerFailure, Stopped or others."""
        try:
            failed = self._transform()
        finally:
            self.container.stop()
            self._log.flush()
            self._data_log.flush()
        if failed:
            kind = "ClientError" if any(failed.values()) else "AlgorithmError"
            raise TransformFailure(f"{kind}: See job logs for more information")
        return {}

    def stop(self, grace_seconds: float) -> None:
        """End the work soon; returns at once."""
        self._halted.set()
        threading.Thread(target=self.container.stop, args=(grace_seconds,), name="job-stop", daemon=True).start()

    def _transform(self) -> dict[Source, bool]:
        """Transform every object; returns those that failed, and whether their data were at fault."""
        self._tree.make([], {})
        lend_volume_key(self._cloud, self._role, self._job["TransformResources"].get("VolumeKmsKeyId"))
        plan = plan_container(self._cloud, self._models, self._job)
        sources = Sources(self._cloud, self._role, self._job["TransformInput"])
        found = sources.find()
        settings = self._start(plan)
        self._record.enter("Training")
        self._data_log.line(
            f"[sagemaker logs]: MaxConcurrentTransforms={settings['MaxConcurrentTransforms']}, "
            f"MaxPayloadInMB={settings['MaxPayloadInMB']}, "
            f"BatchStrategy={'SINGLE_RECORD' if settings['BatchStrategy'] == 'SingleRecord' else 'MULTI_RECORD'}"
        )
        return self._all(sources, found, settings)

    def _start(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """Start the servers; returns how they are asked: the request's own values, else the container's."""
        self._start_servers(plan, {}, 1)
        said = self.container.execution_parameters()
        names = {"MaxConcurrentTransforms": 1, "MaxPayloadInMB": PAYLOAD_MB, "BatchStrategy": "MultiRecord"}
        settings = {name: self._job.get(name) or _known(said.get(name)) or usual for name, usual in names.items()}
        wanted = settings["MaxConcurrentTransforms"] * self._job["TransformResources"]["InstanceCount"]
        self._start_servers(plan, settings, min(wanted, MOST_SERVERS) - 1)
        return settings

    def _start_servers(self, plan: Mapping[str, Any], settings: Mapping[str, Any], count: int) -> None:
        self.container.start(plan, self._environment(plan, settings), count)
        if self._halted.is_set():
            raise Stopped(timed_out=False)

    def _environment(self, plan: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, str]:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html#your-algorithms-batch-code-how-containe-serves-requests."""
        cloud, job = self._cloud, self._job
        strategy = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}
        payload = settings.get("MaxPayloadInMB") or job.get("MaxPayloadInMB") or PAYLOAD_MB
        told = {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload),
            "SAGEMAKER_BATCH_STRATEGY": strategy[job.get("BatchStrategy", "MultiRecord")],
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(job.get("MaxConcurrentTransforms") or 1),
        }
        given = {"PATH": container_path(), "LANG": "C.UTF-8", "HOME": "/tmp", "AWS_REGION": cloud.region}  # noqa: S108 - the container's own
        given |= {"SAGEMAKER_REGION": cloud.region}
        if not plan["Isolated"]:
            given |= role_environment(cloud, self._role)
        own = {"MODELWRIGHT_WORKERS": "1"}  # a worker of the container is a process of its own here
        return {**given, **plan["Environment"], **job.get("Environment", {}), **told, **own}

    def _all(self, sources: Sources, found: list[Source], settings: Mapping[str, Any]) -> dict[Source, bool]:
        """Objects are shared out among the instances; each object is one instance's, as on AWS."""
        instances = min(self._job["TransformResources"]["InstanceCount"], len(found), MOST_SERVERS)
        failed: dict[Source, bool] = {}

        def work(own: list[Source]) -> None:
            with ThreadPoolExecutor(min(settings["MaxConcurrentTransforms"], MOST_SERVERS)) as pool:
                file = _File(self._job, settings, self.container, pool, self._halted)
                for source in own:
                    if self._halted.is_set():
                        return
                    self._one(file, sources, source, failed)

        with ThreadPoolExecutor(instances, thread_name_prefix="transform") as threads:
            for done in [threads.submit(work, found[number::instances]) for number in range(instances)]:
                done.result()
        if self._halted.is_set():
            raise Stopped(timed_out=False)
        return failed

    def _one(self, file: _File, sources: Sources, source: Source, failed: dict[Source, bool]) -> None:
        """Transform one object and write its output; what fails is logged, and the next one is done all the same."""
        target = self._tree.temporary / f"{abs(hash(source))}.out"
        try:
            with sources.open(source) as body:
                digests = file.transform(body, target)
            if digests is not None:
                self._upload(target, source.name, digests)
        except AnswerProblem as problem:
            if not self._halted.is_set():
                self._tell(source, problem.lines)
            failed[source] = problem.client
        except (RecordProblem, ClientProblem) as problem:
            self._tell(source, [str(problem)])
            failed[source] = True
        except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
            self._tell(source, [f"It cannot be unpacked (CompressionType is Gzip): {problem}"])
            failed[source] = True
        finally:
            target.unlink(missing_ok=True)

    def _upload(self, target: Path, name: str, digests: Digests) -> None:
        output = self._job["TransformOutput"]
        key = output.get("KmsKeyId") or None
        Outputs(self._cloud, self._role, key).file(target, f"{output['S3OutputPath'].rstrip('/')}/{name}.out", digests)

    def _tell(self, source: Source, lines: list[str]) -> None:
        for line in lines:
            self._data_log.line(f"[sagemaker logs]: {source.address}: {line}")
        self._data_log.flush()


class _File:
    """Transforms one object after the other, several payloads at a time, answers in the payloads' order."""

    def __init__(
        self,
        job: Mapping[str, Any],
        settings: Mapping[str, Any],
        container: Containers,
        pool: ThreadPoolExecutor,
        halted: threading.Event,
    ) -> None:
        self._most_bytes = settings["MaxPayloadInMB"] << 20
        self._split = job["TransformInput"].get("SplitType", "None") == "Line"
        self._single = settings["BatchStrategy"] == "SingleRecord"
        self._at_once = settings["MaxConcurrentTransforms"]
        self._processing = processing_of(job)
        self._container = container
        self._pool = pool
        self._halted = halted

    def transform(self, body: Any, target: Path) -> Digests | None:
        """Write the output of an open object to `target`, and say what it hashes to; None when it is to stop.

        Raises at the first payload that fails. Hashing meanwhile costs no time of its own: other threads answer.
        """
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        waiting: deque[Future[bytes]] = deque()
        try:
            with target.open("wb") as output:
                for payload in chain(self._payloads(body), repeat(None, self._at_once * _AHEAD)):
                    if payload is None or len(waiting) >= self._at_once * _AHEAD:
                        done = waiting.popleft().result() if waiting else b""
                        output.write(done)
                        md5.update(done)
                        sha256.update(done)
                    if self._halted.is_set():
                        return None
                    if payload is not None:
                        waiting.append(self._pool.submit(self._answer, payload))
        finally:
            for each in waiting:
                each.cancel()
        return Digests(md5.hexdigest(), sha256.hexdigest())

    def _payloads(self, body: Any) -> Iterator[bytes]:
        return mini_batches(body, self._most_bytes, split=self._split, single=self._single)

    def _answer(self, payload: bytes) -> bytes:
        processing = self._processing
        return processing.to_keep(payload, self._container.ask(processing.to_send(payload)))


def _role_of(models: Models, name: str) -> str:
    """Return the model's role; ClientProblem when the model was deleted while the job waited for its turn."""
    try:
        return str(models.get(name)["ExecutionRoleArn"])
    except AwsError as error:
        raise ClientProblem(error.message) from None


def processing_of(job: Mapping[str, Any]) -> Processing:
    """Return a job's DataProcessing."""
    given = job.get("DataProcessing", {})
    return Processing(
        given=parse(given.get("InputFilter", "$")),
        kept=parse(given.get("OutputFilter", "$")),
        join=given.get("JoinSource", "None") == "Input",
        is_csv=media_type(job["TransformInput"].get("ContentType", "")) == CSV,
        assemble=job["TransformOutput"].get("AssembleWith", "None") == "Line",
    )


def _known(value: Any) -> Any:
    """Return a value of /execution-parameters in the API's words: MULTI_RECORD there is MultiRecord here."""
    return {"MULTI_RECORD": "MultiRecord", "SINGLE_RECORD": "SingleRecord"}.get(value, value) if value else None
