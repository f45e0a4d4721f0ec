"""Making releases of a pipeline's folder, and writing them where a run finds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelwright.client.releases.bundle import ARCHIVE, Bundle, make_bundle
from modelwright.client.releases.dataset import Dataset, publish_dataset, read_dataset
from modelwright.client.releases.git import extract_folder, folder_state, resolve_commit
from modelwright.client.releases.manifest import Origin, make_manifest
from modelwright.client.releases.uploads import S3, Upload, exists, put, put_all
from modelwright.config.load import load_pipeline
from modelwright.config.read_pipeline import INFERENCE_SCRIPT, PIPELINE_FILE
from modelwright.config.release import ReleasedCode, ReleasedData, ReleaseManifest, commit_key, default_key
from modelwright.errors import BundleError, names
from modelwright.project import TRAINING_CODE

if TYPE_CHECKING:
    from collections.abc import Collection

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.pipeline import PipelineSettings

_JSON = "application/json"


@dataclass(frozen=True)
class Destination:
    """Where a release goes and what its images are for."""

    region: str
    artifact_bucket: str


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
    """Return the release of a pipeline's folder as it lies there.

    It is clean only when its commit gives the same release: data that git ignores are in no commit.
    """
    state = folder_state(settings.folder)
    clean = state.clean and (settings.data.in_s3 or not _is_ignored(settings.data.source, state.ignored))
    return build_release(settings, destination, commit=state.commit, clean=clean, leave_out=state.ignored)


def release_of_commit(
    root: Path, pipeline: str, commit: str, environment: EnvironmentSettings, destination: Destination
) -> Release:
    """Return the release of a pipeline's folder as a commit has it: settings, code and data, nothing else's.

    `commit` is an id, a branch, a tag or `HEAD`. Raises `NotARepository`, `CommitNotFound`, and `SettingsError` for
    settings that were wrong at that commit.
    """
    import tempfile  # noqa: PLC0415 # releases of a folder need none

    found = resolve_commit(root, commit)
    path = PurePosixPath(TRAINING_CODE) / pipeline
    with tempfile.TemporaryDirectory(prefix="modelwright-") as temporary:
        folder = Path(temporary) / pipeline
        extract_folder(root, found, path, folder)
        return _in_memory(release_of_extracted(folder, found, environment, destination))


def release_of_extracted(
    folder: Path, commit: str, environment: EnvironmentSettings, destination: Destination
) -> Release:
    """Return the release of a folder that holds exactly what a commit does; its name is the pipeline's.

    The command line and the Lambda `publish_merge` both come here: one commit is one release, whoever reads it.
    """
    shown = f"{commit[:12]}:{PurePosixPath(TRAINING_CODE) / folder.name}"
    settings = load_pipeline(folder, folder.name, shown, environment)
    return build_release(settings, destination, commit=commit, clean=True)


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
        dataset = read_dataset(settings.folder / settings.data.source, settings.name, destination.artifact_bucket)
    bundle = make_bundle(settings.folder, leave_out=unbundled)
    _check_scripts(settings, bundle)
    bucket, prefix = destination.artifact_bucket, f"code/{settings.name}/{bundle.sha256}/"
    base = f"s3://{bucket}/{prefix}"
    code = ReleasedCode(f"{base}{ARCHIVE}", f"{base}files/", bundle.sha256, bundle.requirements)
    data = ReleasedData(dataset.uri, dataset.sha256) if dataset else ReleasedData(settings.data.source, None)
    manifest = make_manifest(settings, Origin(commit, clean, code, data), destination.region)
    return Release(manifest, _code(bundle, bucket, prefix), dataset, bucket)


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


def _is_ignored(source: str, ignored: Collection[str]) -> bool:
    """Tell whether git ignores the data file, the folder that it is in, or a file of the data folder."""
    return any(
        path == source or path.startswith(f"{source}/") or (path.endswith("/") and f"{source}/".startswith(path))
        for path in ignored
    )


def _check_scripts(settings: PipelineSettings, bundle: Bundle) -> None:
    """A script that is there and not in the bundle would be missed by its job only, minutes later."""
    scripts = {settings.process.script, settings.train.script, settings.evaluate.script, INFERENCE_SCRIPT}
    missing = sorted(scripts - set(bundle.files))
    if missing:
        why = "git ignores it, or it is part of data.source"
        raise BundleError(f"{settings.name}: {names(missing)} would not be in the bundle: {why}.")


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
