"""A release: the immutable manifest of everything that a run is made of, named by its content's hash.

`docs/architecture.md` has the form. The Lambda `prepare_run` reads it; nothing changes it once it is written.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.config.gate import GateClause
from modelwright.config.hosting import (
    Asynchronous,
    Autoscaling,
    Capture,
    Hosting,
    Serverless,
    Shadow,
    Update,
    Variant,
)
from modelwright.config.pipeline import JobSettings
from modelwright.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.config.hosting import EndpointKind, Serve

SCHEMA = 1
_HEX = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class ReleasedCode:
    """The bundle of the pipeline's folder."""

    uri: str
    """The `.tar.gz` in S3."""
    files: str
    """The same files, unpacked: a prefix that ends with a slash."""
    sha256: str
    requirements: bool
    """Whether the bundle has a requirements.txt, so that its jobs need a network to install it."""


@dataclass(frozen=True)
class ReleasedData:
    """The data that a run uses when it is given no other."""

    uri: str
    sha256: str | None
    """None for data that its owner keeps in S3: its content is not ours to know."""


@dataclass(frozen=True)
class ReleasedJob(JobSettings):
    """What a job is started with: its settings and its image."""

    image: str


@dataclass(frozen=True)
class ReleasedProcessing(ReleasedJob):
    """A processing job (`process`, `evaluate`)."""

    arguments: tuple[str, ...]


@dataclass(frozen=True)
class ReleasedTraining(ReleasedJob):
    """The training job."""

    hyperparameters: dict[str, str]
    """JSON texts by name, as SageMaker carries them."""


@dataclass(frozen=True)
class SmokeTest:
    """One request that a new endpoint must answer before it may serve."""

    body_base64: str
    content_type: str
    accept: str


@dataclass(frozen=True)
class ReleasedApi:
    """What of the REST API a release carries: its hook is code."""

    hook: str | None


@dataclass(frozen=True)
class ReleasedDeployment(Hosting):
    """How the model is served; without an endpoint, `instance`, `instance_count` and `smoke_test` are None."""

    image: str
    instance: str | None
    instance_count: int | None
    keep: int
    content_types: tuple[str, ...]
    smoke_test: SmokeTest | None
    endpoint: EndpointKind = "realtime"
    framework: str = "sklearn"
    framework_version: str = ""
    """Whose libraries made the model: a compiler needs the same. Empty in releases of earlier versions."""
    serve: Serve = "python"
    api: ReleasedApi | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON's types; a part that there is none of is null."""
        found = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        found["async"] = found.pop("asynchronous")
        return found

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> ReleasedDeployment:
        """Return what `to_dict` was asked for; raises TypeError, KeyError or AttributeError for anything else."""
        values = {("asynchronous" if name == "async" else name): value for name, value in found.items()}
        for name, made in _PARTS.items():
            if values.get(name) is not None:
                values[name] = made(**values[name])
        for name in ("content_types", "variants"):
            values[name] = tuple(values.get(name, ()))
        values["variants"] = tuple(Variant(**each) for each in values["variants"])
        return cls(**values)


@dataclass(frozen=True)
class ReleaseManifest:
    """One release. Two with the same content are equal and have the same id."""

    pipeline: str
    commit: str | None
    clean: bool
    """Whether the folder was exactly what `commit` holds."""
    code: ReleasedCode
    data: ReleasedData
    process: ReleasedProcessing
    train: ReleasedTraining
    evaluate: ReleasedProcessing
    gate: tuple[GateClause, ...]
    deploy: ReleasedDeployment
    structure: str
    """The SHA-256 of the structure that must be deployed: `PipelineStructure.digest`."""

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as JSON's types."""
        own = ("gate", "deploy")
        parts = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__ if name not in own}
        gate = [clause.to_dict() for clause in self.gate]
        return {"schema": SCHEMA, **parts, "gate": gate, "deploy": self.deploy.to_dict()}

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces, no line end."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @property
    def release_id(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def key(self) -> str:
        """Return the manifest's key in the artifact bucket."""
        return manifest_key(self.pipeline, self.release_id)

    @classmethod
    def from_json(cls, text: str | bytes) -> ReleaseManifest:
        """Return the manifest that `to_json` was asked for; raises `InvalidInput` for anything else."""
        try:
            return cls._from_dict(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidInput(f"This is no release manifest of schema {SCHEMA}: {error!r}.") from error

    @classmethod
    def _from_dict(cls, found: dict[str, Any]) -> ReleaseManifest:
        if found["schema"] != SCHEMA:
            raise InvalidInput(f"The release manifest has schema {found['schema']!r}; this modelwright reads {SCHEMA}.")
        return cls(
            pipeline=found["pipeline"],
            commit=found["commit"],
            clean=found["clean"],
            code=ReleasedCode(**found["code"]),
            data=ReleasedData(**found["data"]),
            process=_processing(found["process"]),
            train=ReleasedTraining(**found["train"]),
            evaluate=_processing(found["evaluate"]),
            gate=tuple(GateClause.from_dict(clause) for clause in found["gate"]),
            deploy=ReleasedDeployment.from_dict(found["deploy"]),
            structure=found["structure"],
        )


def manifest_key(pipeline: str, release_id: str) -> str:
    """Return the key of a release's manifest in the artifact bucket."""
    return f"releases/{pipeline}/{release_id}.json"


def commit_key(pipeline: str, commit: str) -> str:
    """Return the key of the pointer from a commit to its release."""
    return f"commits/{pipeline}/{commit}.json"


def default_key(pipeline: str) -> str:
    """Return the key of the pointer to the release that a schedule runs."""
    return f"defaults/{pipeline}.json"


def is_release_id(text: str) -> bool:
    """Tell whether `text` has the form of a release's id."""
    return bool(_HEX.fullmatch(text))


def is_commit(text: str) -> bool:
    """Tell whether `text` has the form of a commit's full id."""
    return bool(_COMMIT.fullmatch(text))


def _processing(found: dict[str, Any]) -> ReleasedProcessing:
    return ReleasedProcessing(**{**found, "arguments": tuple(found["arguments"])})


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


_PARTS = {
    "smoke_test": SmokeTest,
    "autoscaling": Autoscaling,
    "capture": Capture,
    "update": Update,
    "shadow": Shadow,
    "serverless": Serverless,
    "asynchronous": Asynchronous,
    "api": ReleasedApi,
}
