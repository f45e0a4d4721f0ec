"""From an execution's input and a release to the plan that the state machine works with. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from prepare_run.marker import marker_problem, read_marker
from shared.errors import DeployNeeded, InvalidInput, ReleaseNotFound

TRIGGER_KINDS = ("manual", "merge", "schedule", "data")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_HEX40 = re.compile(r"[0-9a-f]{40}")
_MAX_TRIGGER_ID = 256


@dataclass(frozen=True)
class RunRequest:
    """What the execution's input asks for."""

    release: str  # a release's id, "default", or "commit": the one that the trigger's commit points to
    trigger_kind: str
    trigger_id: str
    """What names the event, however often it is delivered."""
    commit: str | None
    data: str | None
    overrides: dict[str, str]


def parse_request(found: Any, pipeline: str, watched: str) -> RunRequest:
    """Check the input of schema 1: `{schema, pipeline, release, trigger, data?, overrides?}`.

    `watched` is the address under which new data start a run; a trigger's object lies there.
    """
    if not isinstance(found, dict):
        raise InvalidInput(f"the execution's input is {_shown(found)}; it must be an object.")
    problems = [*_unknown(found), *_wrong_head(found, pipeline), *_wrong_trigger(found.get("trigger"), found)]
    problems += _wrong_options(found)
    if isinstance(found.get("trigger"), dict):
        problems += filter(None, [marker_problem(found["trigger"], found.get("data"), watched)])
    if problems:
        raise InvalidInput("the execution's input is wrong: " + "; ".join(problems) + ".")
    trigger = found["trigger"]
    marker = read_marker(trigger)
    return RunRequest(
        release=found["release"],
        trigger_kind=trigger["kind"],
        trigger_id=marker.event_id(trigger["id"]) if marker else trigger["id"],
        commit=trigger.get("commit"),
        data=marker.folder if marker else found.get("data"),
        overrides=dict(found.get("overrides") or {}),
    )


def _unknown(found: dict[str, Any]) -> list[str]:
    known = ("schema", "pipeline", "release", "trigger", "data", "overrides")
    return [f"{key!r} is not known, known are {', '.join(known)}" for key in sorted(set(found) - set(known))]


def _wrong_head(found: dict[str, Any], pipeline: str) -> list[str]:
    problems = []
    if found.get("schema") != 1:
        problems.append(f"schema is {_shown(found.get('schema'))}, it must be 1")
    if found.get("pipeline") != pipeline:
        problems.append(f"pipeline is {_shown(found.get('pipeline'))}, it must be {pipeline!r}")
    release = found.get("release")
    if not isinstance(release, str) or (release not in {"default", "commit"} and not _HEX64.fullmatch(release)):
        problems.append(f"release is {_shown(release)}, it must be 64 hex digits, 'default' or 'commit'")
    return problems


def _wrong_trigger(trigger: Any, found: dict[str, Any]) -> list[str]:
    if not isinstance(trigger, dict):
        return [f"trigger is {_shown(trigger)}, it must be an object with kind and id"]
    problems = []
    if trigger.get("kind") not in TRIGGER_KINDS:
        problems.append(f"trigger.kind is {_shown(trigger.get('kind'))}, it must be one of {', '.join(TRIGGER_KINDS)}")
    identifier = trigger.get("id")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _MAX_TRIGGER_ID:
        problems.append(f"trigger.id is {_shown(identifier)}, it must be a text of 1 to {_MAX_TRIGGER_ID} characters")
    commit = trigger.get("commit")
    if commit is not None and not (isinstance(commit, str) and _HEX40.fullmatch(commit)):
        problems.append(f"trigger.commit is {_shown(commit)}, it must be 40 hex digits")
    if found.get("release") == "commit" and commit is None:
        problems.append("release is 'commit', but trigger.commit is missing")
    return problems


def _wrong_options(found: dict[str, Any]) -> list[str]:
    problems = []
    data = found.get("data")
    if data is not None and not (isinstance(data, str) and re.fullmatch(r"s3://[^/]+/.+", data)):
        problems.append(f"data is {_shown(data)}, it must be s3://<bucket>/<key or prefix/>")
    overrides = found.get("overrides")
    if overrides is not None and not (
        isinstance(overrides, dict) and all(isinstance(value, str) for value in overrides.values())
    ):
        problems.append('overrides must be an object of texts, as in {"C": "0.5"}')
    return problems


def _shown(value: Any) -> str:
    return "missing" if value is None else json.dumps(value)[:80]


def pointer_key(request: RunRequest, pipeline: str) -> str | None:
    """The object that names the release, or None when the input names it."""
    if request.release == "default":
        return f"defaults/{pipeline}.json"
    if request.release == "commit":
        return f"commits/{pipeline}/{request.commit}.json"
    return None


def release_in_pointer(content: bytes | None, uri: str) -> str:
    """The release id that a pointer holds."""
    if content is None:
        raise ReleaseNotFound(f"there is no {uri}; publish a release of it (`modelwright release`), or deploy.")
    try:
        found = json.loads(content)["release"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not _HEX64.fullmatch(found):
        raise ReleaseNotFound(f'{uri} names no release; it must hold {{"release": "<64 hex digits>"}}.')
    return found


def verify_release(content: bytes | None, release: str, pipeline: str, structure: str, uri: str) -> dict[str, Any]:
    """The manifest: what its name says, of this pipeline, and made for what is deployed."""
    if content is None:
        raise ReleaseNotFound(f"there is no release {release} of {pipeline}: {uri} does not exist.")
    found = hashlib.sha256(content).hexdigest()
    if found != release:
        raise ReleaseNotFound(f"{uri} was changed: its content has the SHA-256 {found}.")
    manifest: dict[str, Any] = json.loads(content)
    if manifest.get("schema") != 1 or manifest.get("pipeline") != pipeline:
        raise ReleaseNotFound(
            f"{uri} is schema {manifest.get('schema')} of {manifest.get('pipeline')!r}; "
            f"wanted is schema 1 of {pipeline!r}."
        )
    if manifest["structure"] != structure:
        raise DeployNeeded(
            f"release {release} needs the structure {manifest['structure']}, deployed is {structure}: "
            f"deploy {pipeline} first (`modelwright deploy`)."
        )
    return manifest
