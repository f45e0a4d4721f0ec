"""From a pipeline's settings to its release's manifest: images are chosen, the smoke test is taken in."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.config.folder_files import content_type
from modelwright.config.hosting import Hosting
from modelwright.config.images import image_uri
from modelwright.config.job_values import hyperparameter_text
from modelwright.config.pipeline import JobSettings
from modelwright.config.release import (
    ReleasedApi,
    ReleasedCode,
    ReleasedData,
    ReleasedDeployment,
    ReleasedProcessing,
    ReleasedTraining,
    ReleaseManifest,
    SmokeTest,
)

if TYPE_CHECKING:
    from modelwright.config.pipeline import PipelineSettings, ProcessingSettings

CONTENT_TYPES = ("text/csv", "application/json")
_ACCEPT = "application/json"
_AS_WRITTEN = ("endpoint", "serve", *Hosting.__dataclass_fields__)


@dataclass(frozen=True)
class Origin:
    """Where a release's content is from and is."""

    commit: str | None
    clean: bool
    code: ReleasedCode
    data: ReleasedData


def make_manifest(settings: PipelineSettings, origin: Origin, region: str) -> ReleaseManifest:
    """Return the manifest of settings whose code and data are known; raises `NotSupported` for a missing image."""
    texts = {name: hyperparameter_text(value) for name, value in sorted(settings.train.hyperparameters.items())}
    return ReleaseManifest(
        pipeline=settings.name,
        commit=origin.commit,
        clean=origin.clean,
        code=origin.code,
        data=origin.data,
        process=_processing(settings, settings.process, region),
        train=ReleasedTraining(**_job(settings, settings.train, region), hyperparameters=texts),
        evaluate=_processing(settings, settings.evaluate, region),
        gate=settings.gate,
        deploy=_deployment(settings, region),
        structure=settings.structure().digest(),
    )


def _job(settings: PipelineSettings, job: JobSettings, region: str) -> dict[str, Any]:
    image = image_uri(settings.train.framework, settings.train.version, region, job.instance, "training")
    return {"image": image, **{name: getattr(job, name) for name in JobSettings.__dataclass_fields__}}


def _processing(settings: PipelineSettings, job: ProcessingSettings, region: str) -> ReleasedProcessing:
    return ReleasedProcessing(**_job(settings, job, region), arguments=job.arguments)


def _deployment(settings: PipelineSettings, region: str) -> ReleasedDeployment:
    deploy, train = settings.deploy, settings.train
    # Without an endpoint the registered model still names its image: the one for the machine that trained it.
    image = image_uri(train.framework, train.version, region, deploy.instance or train.instance, "inference")
    smoke_test = None
    if deploy.smoke_test:
        body = base64.b64encode((settings.folder / deploy.smoke_test).read_bytes()).decode()
        smoke_test = SmokeTest(body, content_type(deploy.smoke_test), _ACCEPT)
    return ReleasedDeployment(
        image,
        deploy.instance,
        deploy.instance_count,
        deploy.keep,
        CONTENT_TYPES,
        smoke_test,
        framework=train.framework,
        framework_version=train.version,
        api=ReleasedApi(deploy.api.hook) if deploy.api else None,
        **{name: getattr(deploy, name) for name in _AS_WRITTEN},
    )
