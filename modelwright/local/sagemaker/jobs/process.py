"""A job's container: the environment that it has, and one process at a time until the job is told to stop."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from modelwright.local.processes.spec import ProcessSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.processes.launcher import Process
    from modelwright.local.sagemaker.jobs.logs import JobLog
    from modelwright.local.sagemaker.jobs.tree import JobTree

GRACE_SECONDS = 120.0
"""between SIGTERM and SIGKILL: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html"""
_FLUSH_SECONDS = 0.25


class Stopped(Exception):  # noqa: N818 - somebody wanted it
    """The job was told to stop, by StopTrainingJob or by its maximum run time (`timed_out`)."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("maximum run time" if timed_out else "stop")
        self.timed_out = timed_out


class Container:
    """Runs a job's processes in its tree. `stop` may be called from any thread, before, while and after one runs."""

    def __init__(self, cloud: Cloud, tree: JobTree, log: JobLog, max_runtime_seconds: float) -> None:
        self._cloud = cloud
        self._tree = tree
        self._log = log
        self._left = max_runtime_seconds
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._stop_grace: float | None = None

    def base_environment(self, role_arn: str, *, isolated: bool) -> dict[str, str]:
        """Return what every container has; the role's credentials when it is not isolated."""
        env = {
            "PATH": container_path(),
            "HOME": str(self._tree.home),
            "TMPDIR": str(self._tree.temporary),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",  # as AWS's images have it: lines reach the log while the script runs
        }
        return env if isolated else {**env, **role_environment(self._cloud, role_arn)}

    def run(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
        """Run a program to its end and return its exit status; Stopped when it was ended on purpose."""
        spec = ProcessSpec(list(argv), dict(env), cwd, self._tree.root, "job")
        with self._lock:
            if self._stop_grace is not None:
                raise Stopped(timed_out=False)
            self._process = self._cloud.launcher.start(spec, self._log.line)
        try:
            return self._until_it_ends(self._process)
        finally:
            self._log.flush()

    def stop(self, grace_seconds: float) -> None:
        """End what runs, and let nothing more start. Returns at once; killed after the grace by whoever runs it."""
        with self._lock:
            first = self._stop_grace is None
            self._stop_grace = min(grace_seconds, self._stop_grace or grace_seconds)
            process = self._process
        if process is not None and (first or grace_seconds < 1):
            threading.Thread(target=process.terminate, args=(grace_seconds,), name="job-stop", daemon=True).start()

    def _until_it_ends(self, process: Process) -> int:
        while True:
            began = time.monotonic()
            status = process.wait(max(0.0, min(_FLUSH_SECONDS, self._left)))
            self._left -= time.monotonic() - began
            if status is not None:
                if self._stop_grace is not None:
                    raise Stopped(timed_out=False)
                return status
            self._log.flush()
            if self._left <= 0 and self._stop_grace is None:
                process.terminate(GRACE_SECONDS)
                process.wait()
                raise Stopped(timed_out=True)


def container_path() -> str:
    """Return a container's PATH: this Python first."""
    here = os.path.dirname(sys.executable)  # noqa: PTH120 - not resolved: a venv's Python is a link
    return os.pathsep.join([here, "/usr/local/bin", "/usr/bin", "/bin"])


def role_environment(cloud: Cloud, role_arn: str) -> dict[str, str]:
    """Return the variables with which AWS's SDKs call this local cloud as a session of the role."""
    keys = cloud.callers.session(role_arn, "SageMaker")
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.session_token,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_REGION": cloud.region,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
    }
