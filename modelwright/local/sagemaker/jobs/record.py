"""What is written down about a job: its description in the shape of Describe…Job, moved on from status to status.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

ENDED = frozenset({"Completed", "Failed", "Stopped"})
ARN_KINDS = {"TrainingJob": "training-job", "ProcessingJob": "processing-job", "TransformJob": "transform-job"}

_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class JobRecord:
    """One job's description. Each change is in the database before the method returns. Safe for several threads."""

    def __init__(self, cloud: Cloud, kind: str, description: dict[str, Any]) -> None:
        self._cloud = cloud
        self.kind = kind
        self._description = description
        self._lock = threading.RLock()
        self.ended = threading.Event()
        if self.status in ENDED:
            self.ended.set()

    @classmethod
    def new(cls, cloud: Cloud, kind: str, params: Mapping[str, Any]) -> JobRecord:
        """Return the record of a job that was just asked for; `save` keeps it."""
        now = cloud.clock.now()
        name = params[f"{kind}Name"]
        described = {key: value for key, value in params.items() if key != "Tags"}
        described[f"{kind}Arn"] = arn(cloud, kind, name)
        described[f"{kind}Status"] = "InProgress"
        described |= {"CreationTime": now, "LastModifiedTime": now}
        if kind != "TransformJob":  # which has no limit of its own
            described["StoppingCondition"] = {"MaxRuntimeInSeconds": 86400, **params.get("StoppingCondition", {})}
        if kind == "TrainingJob":
            described |= _of_training(params)
        record = cls(cloud, kind, described)
        record._enter("Starting")
        return record

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self._description[f"{self.kind}Name"])

    @property
    def arn(self) -> str:
        """The job's ARN."""
        return str(self._description[f"{self.kind}Arn"])

    @property
    def status(self) -> str:
        """InProgress, Stopping, or one of ENDED."""
        return str(self._description[f"{self.kind}Status"])

    def describe(self) -> dict[str, Any]:
        """Return a copy in the shape of Describe…Job."""
        with self._lock:
            found = dict(self._description)
            if "SecondaryStatusTransitions" in found:
                found["SecondaryStatusTransitions"] = [dict(each) for each in found["SecondaryStatusTransitions"]]
            return found

    def save(self) -> None:
        """Write it down and tell EventBridge."""
        with self._lock:
            self._cloud.database.put(database_kind(self.kind), self.name, self._description)
        self._cloud.publish_event(self._event())

    def enter(self, stage: str) -> None:
        """Go on to a secondary status of a job that runs; other kinds have none, but begin with `Training`."""
        with self._lock:
            if self.kind != "TrainingJob" and stage != "Training":
                return
            if stage == "Training":
                self._description[f"{self.kind.removesuffix('Job')}StartTime"] = self._cloud.clock.now()
            self._enter(stage)
            self.save()

    def stopping(self) -> bool:
        """Note that the job is to stop; False when it has ended or is stopping already."""
        with self._lock:
            if self.status != "InProgress":
                return False
            self._description[f"{self.kind}Status"] = "Stopping"
            self._enter("Stopping")
            self.save()
            return True

    def end(self, status: str, secondary: str | None = None, **more: Any) -> None:
        """Note how the job ended; `more` goes into the description (FailureReason, ExitMessage)."""
        try:
            self._end(status, secondary, more)
        finally:
            self.ended.set()  # whoever waits must not wait for ever

    def _end(self, status: str, secondary: str | None, more: Mapping[str, Any]) -> None:
        with self._lock:
            self._description[f"{self.kind}Status"] = status
            self._description |= more
            self._enter(secondary or status, more.get("FailureReason"))
            now = self._description["LastModifiedTime"]
            self._description[f"{self.kind.removesuffix('Job')}EndTime"] = now
            if self.kind == "TrainingJob":
                began = self._description.get("TrainingStartTime", now)
                seconds = max(1, round((now - began).total_seconds()))
                self._description |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
            self.save()

    def _enter(self, stage: str, message: str | None = None) -> None:
        now = self._cloud.clock.now()
        self._description["LastModifiedTime"] = now
        if self.kind != "TrainingJob":
            return
        transitions = self._description["SecondaryStatusTransitions"]
        if transitions:
            transitions[-1]["EndTime"] = now
        entry = {"Status": stage, "StartTime": now, "StatusMessage": message or _MESSAGES[stage]}
        if stage in ENDED or stage == "MaxRuntimeExceeded":
            entry["EndTime"] = now
        transitions.append(entry)
        self._description["SecondaryStatus"] = stage

    def _event(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html."""
        words = f"{self.kind.removesuffix('Job')} Job"
        return {
            "source": "aws.sagemaker",
            "detail-type": f"SageMaker {words} State Change",
            "resources": [self.arn],
            "detail": _plain(self._description),
        }


def arn(cloud: Cloud, kind: str, name: str) -> str:
    """Return the ARN of a job."""
    return f"arn:aws:sagemaker:{cloud.region}:{cloud.account}:{ARN_KINDS[kind]}/{name.lower()}"


def database_kind(kind: str) -> str:
    """Return the database's kind for jobs of this kind."""
    return f"sagemaker.{ARN_KINDS[kind]}"


def _of_training(params: Mapping[str, Any]) -> dict[str, Any]:
    output = params["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    return {
        "EnableNetworkIsolation": params.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": params.get("EnableInterContainerTrafficEncryption", False),
        "EnableManagedSpotTraining": False,
        "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{params['TrainingJobName']}/output/model.tar.gz"},
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [],
    }


def _plain(value: Any) -> Any:
    """Events are JSON: times are milliseconds since the epoch in them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value
