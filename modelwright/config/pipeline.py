"""A pipeline's settings: `pipeline.yaml` as frozen values. `read_pipeline.py` makes them from the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.config.hosting import Hosting
from modelwright.config.structure import ApiStructure, PipelineStructure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.config.gate import GateClause
    from modelwright.config.hosting import Api, EndpointKind, Serve


@dataclass(frozen=True)
class DataSettings:
    """Where the data is that a run uses when it is given no other."""

    source: str
    """A file or folder in the pipeline's folder, with forward slashes; or `s3://bucket/prefix`."""

    @property
    def in_s3(self) -> bool:
        """Whether the source is an address in S3 and no file of the folder."""
        return self.source.startswith("s3://")


@dataclass(frozen=True)
class JobSettings:
    """What every job is: a script and the machine that it runs on."""

    script: str
    """A file in the pipeline's folder, with forward slashes."""
    instance: str
    instance_count: int
    volume_gib: int
    max_runtime_seconds: int


@dataclass(frozen=True)
class ProcessingSettings(JobSettings):
    """A processing job (`process`, `evaluate`)."""

    arguments: tuple[str, ...]
    """What the script gets as its arguments, as they are."""


@dataclass(frozen=True)
class TrainingSettings(JobSettings):
    """The training job; its framework's image also runs the processing jobs and serves the model."""

    framework: str
    version: str
    hyperparameters: Mapping[str, Any]
    """JSON values by name."""


@dataclass(frozen=True)
class DeploySettings(Hosting):
    """How the model is served."""

    endpoint: EndpointKind
    instance: str | None
    """None without an endpoint, and with a serverless one."""
    instance_count: int | None
    """None without an endpoint, and with a serverless one."""
    smoke_test: str | None
    """A file in the pipeline's folder that is sent to a new endpoint. None exactly when there is no endpoint."""
    keep: int
    """How many models and endpoint configurations of earlier runs are kept."""
    serve: Serve = "auto"
    """`onnx`: the model is compiled, or the run fails; `python`: its script serves it in our own image, or the run
    fails; `framework`: in AWS's image; `auto`: the first of these that can be."""
    ttl_hours: int | None = None
    """The endpoint is deleted so long after the last deployment; None: never."""
    api: Api | None = None


@dataclass(frozen=True)
class BatchSettings:
    """The machines of `modelwright batch`."""

    instance: str
    instance_count: int
    max_runtime_seconds: int


@dataclass(frozen=True)
class TriggerSettings:
    """What starts the pipeline besides a person."""

    merge_branch: str
    """The branch whose merges start a run."""
    merge_codecommit: str | None = None
    """The CodeCommit repository whose merges do; None: they are announced on our own bus."""
    merge_github: str | None = None
    """`owner/repository` on GitHub; None as above."""
    schedule: str | None = None
    """EventBridge's expression, or None."""
    data_marker: str | None = None
    """The name of the object that says that a folder of new data is complete, or None."""
    data_every_records: int | None = None
    """How many new records start a run, or None."""


@dataclass(frozen=True)
class PipelineSettings:
    """One pipeline: a folder of `training_code/`."""

    name: str
    folder: Path
    description: str
    data: DataSettings
    process: ProcessingSettings
    train: TrainingSettings
    evaluate: ProcessingSettings
    gate: tuple[GateClause, ...]
    deploy: DeploySettings
    triggers: TriggerSettings
    batch: BatchSettings | None = None
    """None: the model is not used for batch transform."""

    def structure(self) -> PipelineStructure:
        """Return what the template depends on, and nothing else of these settings."""
        return PipelineStructure(
            pipeline=self.name,
            endpoint=self.deploy.endpoint,
            merge_branch=self.triggers.merge_branch,
            merge_codecommit=self.triggers.merge_codecommit,
            merge_github=self.triggers.merge_github,
            schedule=self.triggers.schedule,
            data_marker=self.triggers.data_marker,
            data_every_records=self.triggers.data_every_records,
            external_data=self.data.source if self.data.in_s3 else None,
            variants=tuple(each.name for each in self.deploy.variants),
            compiled=self.deploy.serve in ("auto", "onnx"),
            script_image=self.deploy.serve == "python",
            autoscaling=self.deploy.autoscaling is not None,
            capture=self.deploy.capture is not None,
            shadow=self.deploy.shadow is not None,
            ttl_hours=self.deploy.ttl_hours,
            api=self._api_structure(),
            batch=self.batch is not None,
        )

    def _api_structure(self) -> ApiStructure | None:
        api = self.deploy.api
        if api is None:
            return None
        return ApiStructure(api.authorization, api.requests_per_second, api.burst, api.requests_per_day)
