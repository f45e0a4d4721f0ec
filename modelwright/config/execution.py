"""What an execution of a pipeline's state machine is started with: one schema, whoever starts it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from modelwright.config.folder_files import s3_uri_problem
from modelwright.config.job_values import MAX_HYPERPARAMETER_CHARACTERS
from modelwright.config.release import is_commit, is_release_id
from modelwright.errors import InvalidInput, names

SCHEMA = 1
TriggerKind = Literal["manual", "merge", "schedule", "data"]
# An identifier of ours or of EventBridge: a part of a key in the table
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


@dataclass(frozen=True)
class Trigger:
    """What started the execution."""

    kind: TriggerKind
    id: str
    """The event's id, or a fresh UUID for `manual`: it names the event once, however often it is delivered."""
    commit: str | None = None
    bucket: Mapping[str, Any] | None = None
    """Of new data, what S3 tells of the marker's bucket: `{"name": …}`."""
    object: Mapping[str, Any] | None = None
    """And of the marker: `{"key": …}` with its version; its folder is the run's data."""


@dataclass(frozen=True)
class ExecutionInput:
    """The input of one execution. Making one with a value that the state machine would refuse raises `InvalidInput`."""

    pipeline: str
    release: str
    """A release's id; `default`, the one that schedules run; or `commit`, the one of the trigger's commit."""
    trigger: Trigger
    data: str | None = None
    """An address in S3 that takes the place of the release's data."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Hyperparameters that take the place of the release's, as SageMaker carries them."""

    def __post_init__(self) -> None:
        """Check every field."""
        problem = self._problem()
        if problem:
            raise InvalidInput(f"The execution's input is wrong: {problem}")

    def to_dict(self) -> dict[str, Any]:
        """Return the input as JSON's types; what is not given is left out."""
        trigger: dict[str, Any] = {"kind": self.trigger.kind, "id": self.trigger.id}
        if self.trigger.commit:
            trigger["commit"] = self.trigger.commit
        if self.trigger.bucket and self.trigger.object:
            trigger |= {"bucket": dict(self.trigger.bucket), "object": dict(self.trigger.object)}
        found: dict[str, Any] = {
            "schema": SCHEMA,
            "pipeline": self.pipeline,
            "release": self.release,
            "trigger": trigger,
        }
        if self.data:
            found["data"] = self.data
        if self.overrides:
            found["overrides"] = dict(self.overrides)
        return found

    def to_json(self) -> str:
        """Return the input as `StartExecution` takes it."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ExecutionInput:
        """Return the input that a text says; raises `InvalidInput` for one that does not follow the schema."""
        try:
            found = json.loads(text)
            unknown = set(found) - {"schema", "pipeline", "release", "trigger", "data", "overrides"}
            if found["schema"] != SCHEMA or unknown:
                wrong = f"unknown keys {names(sorted(unknown))}" if unknown else f"schema {found['schema']!r}"
                raise InvalidInput(f"The execution's input has {wrong}; this modelwright reads schema {SCHEMA}.")
            trigger = Trigger(**found["trigger"])
            return cls(found["pipeline"], found["release"], trigger, found.get("data"), found.get("overrides", {}))
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(f"This is no input of an execution of schema {SCHEMA}: {error!r}.") from error

    def _problem(self) -> str | None:
        if not isinstance(self.pipeline, str) or not self.pipeline:
            return f"pipeline is {self.pipeline!r}; it must be a name."
        if self.release not in ("default", "commit") and not is_release_id(str(self.release)):
            return f"release is {self.release!r}; it must be 64 hex digits, 'default' or 'commit'."
        problem = s3_uri_problem(str(self.data)) if self.data is not None else None
        return self._trigger_problem() or (f"data {problem}" if problem else self._overrides_problem())

    def _trigger_problem(self) -> str | None:
        kinds, trigger = get_args(TriggerKind), self.trigger
        if trigger.kind not in kinds:
            return f"trigger.kind is {trigger.kind!r}; it must be {names(kinds, 'or')}."
        if not isinstance(trigger.id, str) or not _ID.fullmatch(trigger.id):
            return f"trigger.id is {trigger.id!r}; it must be an event's id or a UUID."
        if trigger.commit is not None and not is_commit(str(trigger.commit)):
            return f"trigger.commit is {trigger.commit!r}; it must be 40 hex digits."
        if self.release == "commit" and trigger.commit is None:
            return "release is 'commit' and trigger.commit is missing."
        return self._marker_problem()

    def _marker_problem(self) -> str | None:
        found, bucket = self.trigger.object, self.trigger.bucket
        if found is None and bucket is None:
            return None
        if not isinstance(found, Mapping) or not isinstance(bucket, Mapping):
            return "trigger.bucket and trigger.object must be what S3 tells of a new object."
        if self.trigger.kind != "data":
            return f"trigger.object is for trigger.kind 'data', which is {self.trigger.kind!r}."
        return "data stands beside trigger.object, whose folder is the data." if self.data is not None else None

    def _overrides_problem(self) -> str | None:
        if not isinstance(self.overrides, Mapping):
            return f"overrides is {self.overrides!r}; it must be a mapping of texts."
        for name, value in self.overrides.items():
            if not isinstance(value, str) or len(value) > MAX_HYPERPARAMETER_CHARACTERS:
                limit = f"a text of at most {MAX_HYPERPARAMETER_CHARACTERS} characters"
                return f"overrides.{name} must be {limit}."
        return None
