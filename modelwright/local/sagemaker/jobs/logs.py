"""A job's output on its way to CloudWatch Logs."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.cloud import Cloud

GROUPS = {kind: f"/aws/sagemaker/{kind}s" for kind in ("TrainingJob", "ProcessingJob", "TransformJob")}
_LAST_LINES = 200
_AT_ONCE = 500


class JobLog:
    """Collects lines, keeps the last ones for the failure's text, and writes them to the job's log stream.

    The job's role writes its log on AWS. Where it may not, the job runs on without a log, there as here.
    """

    part = ""
    """what the stream's name ends with"""

    def __init__(
        self, cloud: Cloud, kind: str, name: str, role_arn: str, metrics: Sequence[Mapping[str, str]] = ()
    ) -> None:
        self._cloud = cloud
        self._metrics = [(metric["Name"], re.compile(metric["Regex"])) for metric in metrics]
        self._values: dict[str, dict[str, Any]] = {}
        self._group = GROUPS[kind]
        self._stream = f"{name}/algo-1-{round(cloud.clock.time())}{self.part}"
        self._lines: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self.last: deque[str] = deque(maxlen=_LAST_LINES)
        self._allowed = self._may_write(role_arn)

    def line(self, text: str) -> None:
        """Take one line."""
        self.last.append(text)
        self._measure(text)
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

    def metrics(self) -> list[dict[str, Any]]:
        """Return FinalMetricDataList: the last value of each metric definition that matched a line."""
        return list(self._values.values())

    def _measure(self, text: str) -> None:
        for name, pattern in self._metrics:
            for found in pattern.finditer(text):
                with contextlib.suppress(ValueError, IndexError, TypeError):
                    value = {"MetricName": name, "Value": float(found[1]), "Timestamp": self._cloud.clock.now()}
                    self._values[name] = value

    def _may_write(self, role_arn: str) -> bool:
        stream = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            for operation in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"):
                self._cloud.iam.check_as(role_arn, "logs", operation, stream)
        except AwsError:
            return False
        return True


class DataLog(JobLog):
    """What batch transform itself says of a job's objects.

    https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
    """

    part = "/data-log"
