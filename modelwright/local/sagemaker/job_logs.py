"""A job's output on its way to CloudWatch Logs."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

GROUPS = {"TrainingJob": "/aws/sagemaker/TrainingJobs", "ProcessingJob": "/aws/sagemaker/ProcessingJobs"}
_LAST_LINES = 200
_AT_ONCE = 500


class JobLog:
    """Collects lines, keeps the last ones for the failure's text, and writes them to the job's log stream.

    The job's role writes its log on AWS. Where it may not, the job runs on without a log, there as here.
    """

    def __init__(self, cloud: Cloud, kind: str, name: str, role_arn: str) -> None:
        self._cloud = cloud
        self._group = GROUPS[kind]
        self._stream = f"{name}/algo-1-{round(cloud.clock.time())}"
        self._lines: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self.last: deque[str] = deque(maxlen=_LAST_LINES)
        self._allowed = self._may_write(role_arn)

    def line(self, text: str) -> None:
        """Take one line."""
        self.last.append(text)
        if not self._allowed:
            return
        with self._lock:
            self._lines.append((self._cloud.clock.time(), text))
            full = len(self._lines) >= _AT_ONCE
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        with self._lock:
            lines, self._lines = self._lines, []
            if lines:
                self._cloud.log(self._group, self._stream, lines)

    def _may_write(self, role_arn: str) -> bool:
        stream = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            for operation in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"):
                self._cloud.iam.check_as(role_arn, "logs", operation, stream)
        except AwsError:
            return False
        return True
