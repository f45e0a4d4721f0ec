"""Making releases of a pipeline's folder, and writing them where a run finds them."""

from __future__ import annotations

import base64
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from modelwright.client.bundle import ARCHIVE, Bundle, make_bundle
from modelwright.client.dataset import Dataset, publish_dataset, read_dataset
from modelwright.client.git import extract_folder, folder_state, resolve_commit
from modelwright.client.uploads import S3, Upload, exists, put, put_all
from modelwright.config.folder_files import content_type
from modelwright.config.images import image_uri
from modelwright.config.job_values import hyperparameter_text
from modelwright.config.load import load_pipeline
from modelwright.config.read_pipeline import PIPELINE_FILE
from modelwright.config.release import (
    ReleasedCode,
    ReleasedData,
    ReleasedDeployment,
    ReleasedJob,
    ReleasedProcessing,
    ReleasedTraining,
    ReleaseManifest,
    SmokeTest,
    commit_key,
    default_key,
)
from modelwright.project import TRAINING_CODE

if TYPE_CHECKING:
    from collections.abc import Collection

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.pipeline import JobSettings, PipelineSettings, ProcessingSettings

CONTENT_TYPES = ("text/csv", "application/json")
_JSON = "application/json"


@dataclass(frozen=True)
class Destination:
    """Where a release goes and what its images are for."""

    region: str
    artifact_bucket: str
    data_bucket: str


@dataclass(frozen=True)
class Release:
    """A manifest and what it names, not written yet."""

    manifest: ReleaseManifest
    code: tuple[Upload, ...]
    """The bundle's files, and last the bundle itself: when that is there, all are."""
    dataset: Dataset | None
    """None when the data are in S3 already."""
    artifact_bucket: str

    @property
    def release_id(self) -> str:
        """Return the release's id."""
        return self.manifest.release_id


def release_of_folder(settings: PipelineSettings, destination: Destination) -> Release:
    """Return the release of a pipeline's folder as it lies there."""
    state = folder_state(settings.folder)
    return build_release(settings, destination, commit=state.commit, clean=state.clean, leave_out=state.ignored)


def release_of_commit(
    root: Path, pipeline: str, commit: str, environment: EnvironmentSettings, destination: Destination
) -> Release:
    """Return the release of a pipeline's folder as a commit has it: settings, code and data, nothing else's.

    `commit` is an id, a branch, a tag or `HEAD`. Raises `NotARepository`, `CommitNotFound`, and `SettingsError` for
    settings that were wrong at that commit.
    """
    found = resolve_commit(root, commit)
    path = PurePosixPath(TRAINING_CODE) / pipeline
    with tempfile.TemporaryDirectory(prefix="modelwright-") as temporary:
        folder = Path(temporary) / pipeline
        extract_folder(root, found, path, folder)
        settings = load_pipeline(folder, pipeline, f"{found[:12]}:{path}", environment)
        return _in_memory(build_release(settings, destination, commit=found, clean=True))


def build_release(
    settings: PipelineSettings,
    destination: Destination,
    *,
    commit: str | None,
    clean: bool,
    leave_out: Collection[str] = (),
) -> Release:
    """Return the release of a folder: a function of the arguments and the folder's content alone.

    `leave_out` are paths that are not bundled, relative to the folder, beside the data and `pipeline.yaml`: what that
    says is in the manifest, and code that did not change keeps its name.
    """
    dataset, unbundled = None, [*leave_out, PIPELINE_FILE]
    if not settings.data.in_s3:
        unbundled.append(settings.data.source)
        dataset = read_dataset(settings.folder / settings.data.source, settings.name, destination.data_bucket)
    bundle = make_bundle(settings.folder, leave_out=unbundled)
    prefix = f"code/{settings.name}/{bundle.sha256}/"
    manifest = ReleaseManifest(
        pipeline=settings.name,
        commit=commit,
        clean=clean,
        code=ReleasedCode(
            uri=f"s3://{destination.artifact_bucket}/{prefix}{ARCHIVE}",
            files=f"s3://{destination.artifact_bucket}/{prefix}files/",
            sha256=bundle.sha256,
            requirements=bundle.requirements,
        ),
        data=ReleasedData(dataset.uri, dataset.sha256) if dataset else ReleasedData(settings.data.source, None),
        process=_processing(settings, settings.process, destination.region),
        train=ReleasedTraining(
            **_job(settings, settings.train, destination.region),
            hyperparameters={
                name: hyperparameter_text(v) for name, v in sorted(settings.train.hyperparameters.items())
            },
        ),
        evaluate=_processing(settings, settings.evaluate, destination.region),
        gate=settings.gate,
        deploy=_deployment(settings, destination.region),
        structure=settings.structure().digest(),
    )
    return Release(manifest, _code(bundle, destination.artifact_bucket, prefix), dataset, destination.artifact_bucket)


def publish_release(s3: S3, release: Release, *, default: bool = False) -> str:
    """Write a release and what it names, and return its id. What is there already is not sent again.

    The manifest is written when all that it names is there, and the commit's pointer (for a clean folder only) after
    the manifest; with `default`, schedules run this release from now on.
    """
    manifest, bucket = release.manifest, release.artifact_bucket
    if not exists(s3, bucket, manifest.key):
        if release.dataset:
            publish_dataset(s3, release.dataset)
        *files, archive = release.code
        if not exists(s3, bucket, archive.key):
            put_all(s3, files)
            put(s3, archive)
        put(s3, Upload(bucket, manifest.key, manifest.to_json().encode(), _JSON))
    pointer = json.dumps({"release": release.release_id}).encode()
    if manifest.clean and manifest.commit:
        put(s3, Upload(bucket, commit_key(manifest.pipeline, manifest.commit), pointer, _JSON))
    if default:
        put(s3, Upload(bucket, default_key(manifest.pipeline), pointer, _JSON))
    return release.release_id


def _job(settings: PipelineSettings, job: JobSettings, region: str) -> dict[str, Any]:
    image = image_uri(settings.train.framework, settings.train.version, region, job.instance, "training")
    names = set(ReleasedJob.__dataclass_fields__) - {"image"}
    return {"image": image, **{name: getattr(job, name) for name in names}}


def _processing(settings: PipelineSettings, job: ProcessingSettings, region: str) -> ReleasedProcessing:
    return ReleasedProcessing(**_job(settings, job, region), arguments=job.arguments)


def _deployment(settings: PipelineSettings, region: str) -> ReleasedDeployment:
    deploy, train = settings.deploy, settings.train
    # Without an endpoint the registered model still names its image: the one for the machine that trained it.
    image = image_uri(train.framework, train.version, region, deploy.instance or train.instance, "inference")
    smoke_test = None
    if deploy.smoke_test:
        body = base64.b64encode((settings.folder / deploy.smoke_test).read_bytes()).decode()
        smoke_test = SmokeTest(body, content_type(deploy.smoke_test), _JSON)
    return ReleasedDeployment(image, deploy.instance, deploy.instance_count, deploy.keep, CONTENT_TYPES, smoke_test)


def _code(bundle: Bundle, bucket: str, prefix: str) -> tuple[Upload, ...]:
    files = (Upload(bucket, f"{prefix}files/{path}", content) for path, content in bundle.files.items())
    return (*files, Upload(bucket, prefix + ARCHIVE, bundle.archive, "application/gzip"))


def _in_memory(release: Release) -> Release:
    """Take the data into memory: the folder that they are read from is about to go."""
    if release.dataset is None:
        return release
    uploads = tuple(
        Upload(u.bucket, u.key, u.body if isinstance(u.body, bytes) else u.body.read_bytes(), u.content_type)
        for u in release.dataset.uploads
    )
    dataset = Dataset(release.dataset.uri, release.dataset.sha256, uploads, release.dataset.prefix)
    return Release(release.manifest, release.code, dataset, release.artifact_bucket)
